/** A recursion over processes and a server, any of which is killed at any time. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seeded } from "@resonate-ts/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { factorialOf } from "../../scripts/demo/cluster.ts";
import { Program, stopPrograms } from "../../scripts/demo/program.ts";
import { Fire, LONG } from "./fire.ts";

/** The longest that it may take, in ms; on an idle machine it takes a third of that. */
const PATIENCE_MS = LONG ? 1_200_000 : 180_000;
const PAUSE_MS = 200;
const N = LONG ? 400 : 40;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "factorial-fire-"));
});
afterEach(async () => {
  await stopPrograms();
  await rm(folder, { recursive: true, force: true });
});

test("whatever is killed, the answer is exact, and only what was cut short is computed again", {
  timeout: PATIENCE_MS,
}, async () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  const computed: string[] = [];
  const onLine = (text: string) => {
    const [, n] = /factorial\((\d+)\) =/.exec(text) ?? [];
    if (n !== undefined) computed.push(n);
  };
  const asked: Program[] = [];
  const fire = new Fire({
    folder,
    random: seeded(seed),
    startWorker: (url) =>
      new Program({
        entry: "apps/factorial-worker/src/main.ts",
        args: ["--server", url, "--pause-ms", String(PAUSE_MS)],
        onLine,
      }),
    startClient(url) {
      const entry = "apps/factorial-client/src/main.ts";
      const client = new Program({ entry, args: [String(N), "--server", url] });
      asked.push(client);
      return client;
    },
  });
  await fire.burn();

  const told = `SEED=${seed}, ${fire.workerKills} processes and ${fire.serverKills} servers killed`;
  process.stdout.write(`${told}\n`);
  expect(fire.workerKills, told).toBeGreaterThan(1);
  expect(fire.serverKills, told).toBeGreaterThan(0);
  const answer = asked.flatMap(({ lines }) => lines.map(({ text }) => text));
  expect(answer, told).toContain(`factorial(${N}) = ${factorialOf(N)}`);
  expect(new Set(computed).size, told).toBe(N);
  // One call at a time is under way; a kill, of its process or of the server, cuts that one short.
  expect(computed.length - N, told).toBeLessThanOrEqual(fire.workerKills + fire.serverKills);
});
