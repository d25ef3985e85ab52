/**
 * `pnpm tsx scripts/soak.ts --minutes N [--storage sqlite|postgres] [--rate N] [--kill-every SECONDS] [--seed N]`: workflows at
 * a steady rate for as long, while workers are killed, and in the end a time in which nothing is asked. Prints a line of
 * JSON for each sample and one for the whole (docs/operations.md, "Soak"). Exits with 1 when something is not as it should be.
 */
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Resonate, silentLogger } from "@resonate-ts/sdk";
import { seeded } from "@resonate-ts/testing";
import { Load } from "./soak/load.ts";
import { type Sample, Sampler } from "./soak/sampler.ts";
import { summary } from "./soak/summary.ts";
import { type Storage, System } from "./soak/system.ts";

const SAMPLE_MS = 10_000;
/** By then what ran before the idle time is forgotten (`system.ts`), which is work too. */
const CALM_MS = 90_000;
const IDLE_MS = 20_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    storage: { type: "string", default: "sqlite" },
    rate: { type: "string", default: "50" },
    "kill-every": { type: "string", default: "20" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
  },
});
const minutes = positive("minutes");
const rate = positive("rate");
const killEveryMs = positive("kill-every") * 1_000;
const seed = positive("seed");
const random = seeded(seed);

const system = await System.start(storageOf(values.storage));
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void system.stop().finally(() => process.exit(1)));
}
const client = new Resonate({ url: system.url, group: "soak-clients", logger: silentLogger });
try {
  print({ kind: "start", minutes, rate, killEveryMs, seed, storage: values.storage });
  const load = new Load(client, rate);
  const sampler = new Sampler(system, load);
  const samples: Sample[] = [];
  const endAt = performance.now() + minutes * 60_000;
  load.start();
  const killing = kill(endAt);
  while (performance.now() < endAt) {
    await wait(Math.min(SAMPLE_MS, Math.max(0, endAt - performance.now())));
    samples.push(await sampler.sample());
    print({ kind: "sample", ...samples.at(-1) });
  }
  await killing;
  await load.stop();
  await wait(CALM_MS);
  const idle = await sampler.idle(IDLE_MS);
  const { ended, wrong, open: unfinished } = load;
  const total = summary({ samples, idle, ended, wrong, unfinished });
  print({ kind: "summary", ...total });
  process.exitCode = total.problems.length === 0 ? 0 : 1;
} finally {
  await client.stop();
  await system.stop();
}

async function kill(endAt: number): Promise<void> {
  while (performance.now() + killEveryMs < endAt) {
    await wait(killEveryMs);
    await system.killWorker(random);
  }
}

function positive(name: "minutes" | "rate" | "kill-every" | "seed"): number {
  const value = Number(values[name]);
  if (value > 0) return value;
  process.stderr.write(`--${name} takes a number above 0, not '${values[name]}'\n`);
  process.exit(2);
}

function storageOf(name: string): Storage {
  if (name === "sqlite" || name === "postgres") return name;
  process.stderr.write(`--storage is sqlite or postgres, not '${name}'\n`);
  process.exit(2);
}

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
