/** A worker that holds what it is given until its signal fires; it says on its standard output what happens to it. */
import { setTimeout as wait } from "node:timers/promises";
import { type Context, Resonate } from "../../src/index.ts";

const [url = ""] = process.argv.slice(2);
const resonate = new Resonate({ url, pid: "zombie", ttl: 1_000, logLevel: "error" });
resonate.register("fn", async (ctx: Context) => {
  process.stdout.write("running\n");
  ctx.signal.addEventListener("abort", () => process.stdout.write(`${ctx.signal.reason.code}\n`));
  await wait(600_000, undefined, { signal: ctx.signal }).catch(() => undefined);
  return "the zombie's";
});
