/** Writes a trace: `tsx packages/server/test/traces/main.ts FILE`. `SEED` repeats one; `OPERATIONS` is its length. */
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Store } from "../../src/stores/store.ts";
import { Random } from "../differential/random.ts";
import { STORES } from "../differential/stores.ts";
import { trace } from "./trace.ts";

const [path] = process.argv.slice(2);
const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const operations = Number(process.env["OPERATIONS"] ?? 10_000);

if (path === undefined) {
  process.stderr.write(
    "usage: [SEED=…] [OPERATIONS=…] tsx packages/server/test/traces/main.ts FILE\n",
  );
  process.exitCode = 2;
} else {
  const { store, close } = STORES.memory();
  await pipeline(Readable.from(lines(store)), createWriteStream(path));
  await close();
  process.stdout.write(`${operations} requests in ${path} (SEED=${seed})\n`);
}

async function* lines(store: Store): AsyncGenerator<string> {
  for await (const line of trace(store, new Random(seed), operations)) {
    yield `${JSON.stringify(line)}\n`;
  }
}
