/** The worker that is killed, and the one after it: `dbos-crash-worker.ts TEST`. Says so when the workflow has its result. */
import { DBOS } from "@dbos-inc/dbos-sdk";
import type { CrashTest } from "../src/running.ts";
import { launch, slowFanOut } from "./dbos-programs.ts";

const [argument = ""] = process.argv.slice(2);
const test: CrashTest = JSON.parse(argument); // Made by `dbos.ts`.
process.on("disconnect", () => process.exit());
await launch(test.database?.url ?? "", "crashed");
// The second time it joins what is there.
const workflow = DBOS.startWorkflow(slowFanOut, { workflowID: test.id });
const handle = await workflow(test.children, test.log);
await handle.getResult({ pollingIntervalMs: 10 });
process.send?.("done");
