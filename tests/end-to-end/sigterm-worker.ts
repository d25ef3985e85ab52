/** A worker whose jobs take until it is stopped, unless it is told that they are `--quick`. */
import { type Context, Resonate } from "@resonate-ts/sdk";

const quick = process.argv.includes("--quick");

async function job({ id, signal }: Context): Promise<string> {
  if (!quick) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  return id;
}

const resonate = new Resonate({ group: "jobs", pid: quick ? "quick" : "slow" });
resonate.register("job", job);
process.once("SIGTERM", () => resonate.stop());
