/** The worker that is killed, and the one after it: `crash-worker.ts JOB`. Says so when the workflow has its result. */
import { connect, type Place } from "./connect.ts";
import type { CrashTest } from "./running.ts";

const [job = ""] = process.argv.slice(2);
const { place, test }: { place: Place; test: CrashTest } = JSON.parse(job); // Made by `ours.ts`.
process.on("disconnect", () => process.exit());
await connect(place).run(test.id, "slowFanOut", test.children, test.log);
process.send?.("done");
