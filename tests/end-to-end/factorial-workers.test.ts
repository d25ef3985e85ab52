/** A recursion over three worker processes, one of which is killed while it computes. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Cluster, factorialOf, repeated } from "../../scripts/demo/cluster.ts";
import { Program, stopPrograms } from "../../scripts/demo/program.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "resonate-workers-"));
});
afterEach(async () => {
  await stopPrograms();
  await rm(folder, { recursive: true, force: true });
});

test("a survivor finishes the call of a killed worker within 2 s, and nothing finished runs again", async () => {
  const cluster = await Cluster.start({ folder, workers: ["one", "two", "three"], pauseMs: 600 });
  const asked = cluster.ask(8);
  await cluster.product(3);
  const victim = await cluster.holder(4);

  const killedAt = await cluster.kill(victim);
  const { value, how } = await asked;

  expect(value).toBe(factorialOf(8));
  expect(how).toContain("computed now");
  const computed = cluster.computed();
  const survivor = computed.findLast(({ n }) => n === 4);
  expect(survivor?.worker).not.toBe(victim);
  expect((survivor?.at ?? Number.NaN) - killedAt).toBeLessThan(2_000);
  expect(repeated(computed, 4)).toEqual([]);
  expect(new Set(computed.map(({ n }) => n))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8]));

  expect((await cluster.ask(8)).how).toContain("from the cache");
  expect((await cluster.ask(5)).how).toContain("from the cache");
  expect(cluster.computed()).toHaveLength(computed.length);
});

test("with --json, worker and client print events for programs, and nothing else", async () => {
  const server = new Program({
    entry: "packages/cli/src/main.ts",
    args: ["dev", "--memory", "--server-port", "0"],
  });
  const url = /http:\S+/.exec((await server.line(/listens on/)).text)?.[0] ?? "";
  const args = ["--server", url, "--json"];
  const worker = new Program({
    entry: "apps/factorial-worker/src/main.ts",
    args: ["--name", "ada", ...args],
  });
  const client = new Program({ entry: "apps/factorial-client/src/main.ts", args: ["2", ...args] });
  await client.success();
  await worker.stop();

  const events = ({ lines }: Program) => lines.map(({ text }) => JSON.parse(text));
  expect(events(client)).toEqual([
    { event: "answer", n: 2, value: "2", ms: expect.any(Number), cached: false },
  ]);
  expect(events(worker)).toEqual([
    { event: "start", worker: "ada", server: url, group: "factorial-workers", pid: worker.pid },
    { event: "computed", worker: "ada", call: "factorial(1)", product: "1" },
    { event: "computed", worker: "ada", call: "factorial(2)", product: "2" },
  ]);
});

test("workers and server stop on Ctrl-C with exit code 0", async () => {
  const cluster = await Cluster.start({ folder, workers: ["one", "two"], pauseMs: 0 });
  await cluster.ask(3);

  expect(await cluster.stop()).toEqual([0, 0, 0]);
});

test("a client that finds no server says so once, and connects when there is one", async () => {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const client = new Program({
    entry: "apps/factorial-client/src/main.ts",
    args: ["5"],
    env: { RESONATE_URL: url },
  });
  await client.line(/^No Resonate server answers at http:\/\/localhost:\d+\. Start one with/);

  const server = new Program({
    entry: "packages/cli/src/main.ts",
    args: ["dev", "--memory", "--server-port", String(port)],
  });
  await server.line(/listens on/);
  const worker = new Program({
    entry: "apps/factorial-worker/src/main.ts",
    env: { RESONATE_URL: url },
  });

  await client.success();
  expect(client.lines.map(({ text }) => text)).toEqual([
    expect.stringMatching(/^No Resonate server/),
    "factorial(5) = 120",
    expect.stringMatching(/computed now/),
  ]);
  expect(await worker.stop()).toBe(0);
});

test("a client whose question nobody takes says so, and gets its answer once somebody does", async () => {
  const server = new Program({
    entry: "packages/cli/src/main.ts",
    args: ["dev", "--memory", "--server-port", "0"],
  });
  const url = /http:\S+/.exec((await server.line(/listens on/)).text)?.[0] ?? "";
  const env = { RESONATE_URL: url };
  const client = new Program({ entry: "apps/factorial-client/src/main.ts", args: ["5"], env });
  await client.line(
    /^Nobody has taken it yet: is a worker running\? pnpm --filter factorial-worker/,
  );

  new Program({ entry: "apps/factorial-worker/src/main.ts", env });

  await client.success();
  expect(client.lines.map(({ text }) => text).slice(1)).toEqual([
    "factorial(5) = 120",
    expect.stringMatching(/computed now/),
  ]);
});

/** A port that nothing listens on: asked of the system, and given back. */
async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No port was given.");
  return address.port;
}
