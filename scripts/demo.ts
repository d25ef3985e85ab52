/**
 * The main job from end to end, for a person to watch: `pnpm demo`. It needs nothing and asks nothing, uses free
 * ports and a temporary folder, and exits 0, or 1 when something was not as it must be. Ctrl-C stops it: it cleans up
 * and exits 130. When nobody reads it any more, as after `| head`, it ends the same way without a word, with 0.
 */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { Cluster } from "./demo/cluster.ts";
import { stopPrograms } from "./demo/program.ts";
import {
  askAgain,
  computeAndKill,
  countComputed,
  crawlSite,
  fanOut,
  printTree,
} from "./demo/stages.ts";

const WORKERS = ["ada", "bob", "cyd"];
const COLORS = { ada: "cyan", bob: "magenta", cyd: "yellow" } as const;
/** Slow enough to watch. */
const PAUSE_MS = 150;

/** As shells do for a program that Ctrl-C ended. */
const STOPPED_CODE = 130;

let stages = 0;
/** Set once it is being stopped from outside: what goes wrong from then on has not failed. */
let stopping = false;
const since = performance.now();
const folder = mkdtempSync(join(tmpdir(), "resonate-demo-"));
// More than one of them may come: the terminal and the program that started this one both pass a Ctrl-C on.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => void stop("Stopped.", STOPPED_CODE));
}
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    void stop("", 0);
  });
}
try {
  await factorials();
  await apps();
  const seconds = ((performance.now() - since) / 1_000).toFixed(1);
  print(`\n${styleText("green", `All of it was as it must be, in ${seconds} s.`)}`);
} catch (error) {
  if (!stopping) {
    process.exitCode = 1;
    const problem = error instanceof Error ? error.message : String(error);
    process.stderr.write(`\n${styleText("red", "The demo failed:")} ${problem}\n`);
  }
} finally {
  // Who stops it cleans up, and ends the process.
  if (!stopping) await cleanUp();
}

async function stop(lastWords: string, code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  await cleanUp();
  if (lastWords !== "") process.stderr.write(`\n${lastWords}\n`);
  process.exit(code);
}

async function cleanUp(): Promise<void> {
  await stopPrograms();
  await rm(folder, { recursive: true, force: true });
}

async function factorials(): Promise<void> {
  stage(
    "A server and three workers",
    "Four processes: the server keeps durable promises in a file, the workers take calls of a recursive function.",
  );
  const cluster = await Cluster.start({ folder, workers: WORKERS, pauseMs: PAUSE_MS, onLine: say });
  try {
    say(`The server listens on ${cluster.url}`);
    stage(
      "factorial(20), and one worker is killed half-way",
      `Each call asks for the next smaller one, on whichever worker is free, and multiplies (slowed down by ${PAUSE_MS} ms to watch it).`,
    );
    await computeAndKill(cluster, say);
    countComputed(cluster, say);
    stage(
      "Asked again",
      "The id of a call says what it computes, so its result is a cache entry, at any depth.",
    );
    await askAgain(cluster, say);
    stage("What is on record", "The same as: resonate tree factorial-20");
    await printTree(cluster, say);
  } finally {
    await cluster.stop();
  }
}

async function apps(): Promise<void> {
  stage(
    "Four notifications at once",
    "No server now: the same SDK on a file. The wall time is that of the slowest channel.",
  );
  await fanOut(folder, { crash: false, say });
  stage(
    "The same, and push fails first",
    "Push is tried again; the other three are not sent again.",
  );
  await fanOut(folder, { crash: true, say });
  stage(
    "A crawl",
    "One durable promise per page: each is fetched once, also where pages link in a circle.",
  );
  await crawlSite(folder, say);
}

function stage(title: string, explanation: string): void {
  stages++;
  print(`\n${styleText("bold", `${stages}. ${title}`)}\n   ${styleText("dim", explanation)}`);
}

/** Indented, and in the worker's colour where a worker speaks. */
function say(text: string): void {
  const name = /^\[(ada|bob|cyd)\]/.exec(text)?.[1];
  // The pattern names the keys.
  const color = name === undefined ? undefined : COLORS[name as keyof typeof COLORS];
  print(`   ${color ? styleText(color, text) : text}`);
}

function print(text: string): void {
  if (stopping) return;
  process.stdout.write(`${text}\n`);
}
