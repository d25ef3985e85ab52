/** The page: puts the application into the document. */
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/overview.css";
import "./styles/executions.css";
import "./styles/run.css";
import "./styles/detail.css";

const place = document.getElementById("page");
if (place) createRoot(place).render(<App />);
