/** A worker with a function that ends its process, unless it is `--mended`, and one that does honest work. */
import { type Context, type Durable, Resonate } from "@resonate-ts/sdk";

const mended = process.argv.includes("--mended");

function bill(_: Context): string {
  // A failing native library, memory that runs out, a bad call of process.exit: nothing that can be caught.
  if (!mended) process.exit(1);
  return "billed";
}

function* poison(ctx: Context): Durable<string> {
  return yield* ctx.run(bill);
}

/** Gets on in small steps for about as many times 100 ms. */
function* honest(ctx: Context, steps: number): Durable<number> {
  let done = 0;
  while (done < steps) {
    done = yield* ctx.run((_: Context, before: number) => before + 1, done);
    yield* ctx.sleep(100);
  }
  return done;
}

const resonate = new Resonate({ group: "quarantine" });
resonate.register("poison", poison);
resonate.register("honest", honest);
process.once("SIGINT", () => resonate.stop());
