/** An endpoint in a process of its own: `restate-worker.ts WORKER PORT`. It ends when its parent lets go of it. */
import { serve } from "./restate-services.ts";

const [worker = "all", port = "0"] = process.argv.slice(2);
process.on("disconnect", () => process.exit());
const endpoint = await serve(worker === "all" ? "all" : Number(worker), Number(port));
process.send?.(endpoint.port);
