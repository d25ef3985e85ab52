/**
 * The page in a real browser, on a real server with real workers. It is one file, because they share what takes long to
 * start.
 */
import { setStage } from "./stage.ts";

setStage();
await import("./runs.ts");
await import("./lists.ts");
await import("./guards.ts");
