import { fileURLToPath } from "node:url";

/** The folder of the built page: `index.html` and what it loads. */
export const pageFolder = fileURLToPath(new URL("dist/", import.meta.url));
