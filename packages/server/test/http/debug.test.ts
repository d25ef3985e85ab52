import { afterEach, expect, test } from "vitest";
import { type RunningServer, serve } from "../../src/serve.ts";
import { readSettings } from "../../src/settings.ts";
import { type Answer, ask, silent } from "./harness.ts";

let server: RunningServer;

afterEach(() => server.close());

async function open(debug: "true" | "false"): Promise<void> {
  const flags = { "server.port": "0", "storage.type": "memory", debug };
  server = await serve(readSettings({ flags }), { logger: silent });
}

const head = (time?: number) => ({
  corrId: "c",
  version: "2026-04-01",
  ...(time !== undefined && { "resonate:debug_time": time }),
});
const post = (kind: string, data: object = {}, time?: number) =>
  ask(server, { body: JSON.stringify({ kind, head: head(time), data }) });
const dataOf = ({ text }: Answer) => JSON.parse(text).data;

const kinds = ["debug.start", "debug.stop", "debug.reset", "debug.snap"];

test.each([...kinds, "debug.tick", "debug.x"])(
  "%s is 403 unless debug mode is on",
  async (kind) => {
    await open("false");
    await post("promise.create", { id: "a", timeoutAt: 2 ** 50 });

    const answer = await post(kind, { time: 2 ** 50 });

    expect([answer.status, dataOf(answer)]).toEqual([403, "Debug operations are disabled"]);
    expect(dataOf(await post("promise.get", { id: "a" })).promise.state).toBe("pending");
  },
);

test("the time of a request counts in debug mode only", async () => {
  await open("false");
  const created = await post("promise.create", { id: "a", timeoutAt: 2 ** 50 }, 5);
  await server.close();
  await open("true");

  const inDebug = await post("promise.create", { id: "a", timeoutAt: 2 ** 50 }, 5);

  expect(dataOf(created).promise.createdAt).toBeGreaterThan(5);
  expect(dataOf(inDebug).promise.createdAt).toBe(5);
});

test("debug operations are answered in their place among the requests of a batch", async () => {
  await open("true");
  const entries = [
    ["debug.start", {}],
    ["promise.create", { id: "a", timeoutAt: 9, tags: { "resonate:scope": "global" } }],
    ["debug.tick", { time: 10 }, 10],
    ["debug.tick", {}],
    ["debug.x", {}],
    ["debug.snap", {}],
    ["debug.reset", {}],
    ["promise.get", { id: "a" }],
    ["debug.stop", {}],
  ] as const;
  const batch = entries.map(([kind, data, time]) => ({ kind, data, head: head(time ?? 1) }));

  const answers = JSON.parse((await ask(server, { body: JSON.stringify(batch) })).text);

  expect(answers.map(({ head }: { head: { status: number } }) => head.status)).toEqual([
    200, 200, 200, 400, 400, 200, 200, 404, 200,
  ]);
  expect(answers[2].data).toEqual([]);
  expect(answers[3].data).toMatch(/^Invalid request: time/);
  expect(answers[4].data).toBe("Unknown operation: debug.x");
  expect(answers[5].data.promises).toMatchObject([{ id: "a", state: "rejected_timedout" }]);
});
