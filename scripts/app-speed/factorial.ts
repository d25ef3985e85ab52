/**
 * How long `factorial-client 1000` waits for three workers: the chain, and by halves. Beside the chain, what it cannot
 * do without: two requests one after the other for each of its calls, each with a commit, at a server that does nothing
 * else.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPost } from "../../packages/bench/src/limits.ts";
import { Cluster, factorialOf } from "../demo/cluster.ts";
import { median, shown } from "./rounds.ts";

const N = 1_000;

/** @returns Lines that say what was measured. */
export async function factorialSpeed(rounds: number): Promise<readonly string[]> {
  const times: Record<"bare" | "chain" | "split", number[]> = { bare: [], chain: [], split: [] };
  for (let round = 0; round < rounds; round++) {
    times.bare.push(await bare());
    times.chain.push(await ask());
    times.split.push(await ask("--split"));
  }
  const base = median(times.bare);
  const of = `${2 * N} bare POSTs with a commit`;
  return Object.entries(times).map(
    ([name, seconds]) => `${name.padEnd(8)} ${shown(seconds, { unit: "s", base, of })}`,
  );
}

async function bare(): Promise<number> {
  const post = await openPost();
  const since = performance.now();
  await post.run("call", "hops", 2 * N);
  const seconds = (performance.now() - since) / 1_000;
  await post.close();
  return seconds;
}

/** Seconds, as the client tells them: without the start of its process. */
async function ask(...flags: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "factorial-speed-"));
  const cluster = await Cluster.start({ folder, workers: ["ada", "bob", "cyd"], pauseMs: 0 });
  try {
    const { value, how } = await cluster.ask(N, ...flags);
    if (value !== factorialOf(N)) throw new Error(`${N}! came out wrong.`);
    return Number.parseInt(how, 10) / 1_000;
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
