/** One more process of DBOS: `dbos-worker.ts DATABASE EXECUTOR`. It ends when its parent lets go of it. */
import { launch } from "./dbos-programs.ts";

const [database = "", executor = ""] = process.argv.slice(2);
process.on("disconnect", () => process.exit());
await launch(database, executor);
process.send?.("ready");
