/** A worker with functions that harm their process, others that only behave badly, and one that does honest work. */
import { type Context, type Durable, Resonate } from "@resonate-ts/sdk";

/** How often it says that it is alive, in ms. */
const ALIVE_MS = 200;

const mended = process.argv.includes("--mended");

const functions = {
  exits(): string {
    if (!mended) process.exit(1);
    return "mended";
  },
  loops(): string {
    while (!mended);
    return "mended";
  },
  /** Its supervisor gives it little memory. */
  hoards(): string {
    const hoard: unknown[] = [];
    while (!mended) hoard.push(Array.from({ length: 100_000 }, (_, n) => ({ n })));
    return "mended";
  },
  throwsText(): never {
    throw "no error at all";
  },
  throwsNothing(): never {
    throw undefined;
  },
  rejectsTwice(): Promise<never> {
    return new Promise((_, reject) => {
      reject(new Error("the first reason"));
      reject(new Error("the second reason"));
    });
  },
  returnsFunction(): unknown {
    return () => "code";
  },
  /** Two steps, after a while each, so that much of it is under way when its process is lost. */
  *honest(ctx: Context, n: number): Durable<number> {
    const once = yield* ctx.run(later, n);
    return yield* ctx.run(later, once);
  },
};

async function later(_: Context, n: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return n + 1;
}

const resonate = new Resonate({ group: "poison", maxConcurrentTasks: 20 });
for (const [name, fn] of Object.entries(functions)) resonate.register(name, fn);
const alive = setInterval(() => process.stdout.write("alive\n"), ALIVE_MS);
process.once("SIGINT", () => {
  clearInterval(alive);
  void resonate.stop();
});
