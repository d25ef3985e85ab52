/** A worker that says all it can: `URL`, then what it is to do. Its token comes from the environment. */
import { inspect } from "node:util";
import { type Context, Resonate } from "@resonate-ts/sdk";

const [url = "", what = ""] = process.argv.slice(2);
const resonate = new Resonate({ url, group: "canaries", logLevel: "debug", timeout: 500 });

resonate.register("flow", async (ctx: Context, name: string) => {
  await ctx.run(() => name);
  const fail = () => {
    throw new Error("as it should");
  };
  return ctx.run(fail, ctx.options({ nonRetryableErrors: [Error] }));
});

const ended =
  what === "run" ? resonate.run("canary-flow", "flow", "x") : resonate.promises.get("canary-flow");
try {
  await ended;
} catch (error) {
  // As a program that fails, and one that logs what it caught.
  process.stderr.write(`${inspect(error)}\n${JSON.stringify(error)}\n${error}\n`);
}
await resonate.stop();
