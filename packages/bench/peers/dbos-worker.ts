/** One more process of DBOS: `dbos-worker.ts DATABASE EXECUTOR`. It ends when its parent lets go of it. */
import { launch } from "./dbos-programs.ts";

const [database = "", executor = ""] = process.argv.slice(2);
await launch(database, executor);
process.send?.("ready");
process.on("disconnect", () => process.exit());
