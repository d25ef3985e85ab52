import { type PromiseRecord, TAG, type TaskRecord } from "@resonate-ts/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { obstacleTo, tellObstacles } from "../src/waiting.ts";
import { FakeServer } from "./fake-server.ts";
import { memoryTerminal } from "./memory-terminal.ts";

const NOW = 1_000_000;
const server = new FakeServer();
let url: string;
let task: Pick<TaskRecord, "state" | "version">;
/** The ids that a search by each tag finds. */
let found: Readonly<Record<string, readonly string[]>>;

beforeAll(async () => {
  url = await server.start();
});
beforeEach(() => {
  task = { state: "pending", version: 0 };
  found = { [TAG.parent]: ["a"] };
  server.answer = ({ kind, data }) => {
    if (kind === "task.get") return { status: 200, data: { task: { id: "a", ...task } } };
    const ids = Object.keys(data.tags).flatMap((tag) => found[tag] ?? []);
    return { status: 200, data: { promises: ids.map((id) => ({ id })) } };
  };
});
afterAll(() => server.stop());

function call(over: { tags?: PromiseRecord["tags"]; data?: string } = {}): PromiseRecord {
  const { tags = { [TAG.target]: "poll://any@workers" }, data = btoa('{"func":"f","args":[]}') } =
    over;
  const param = { headers: {}, data };
  return { id: "a", state: "pending", param, value: {}, tags, timeoutAt: 2 * NOW, createdAt: 0 };
}

describe("of one who waits for a call", () => {
  test("that nobody has taken, the group and the function are asked after", async () => {
    expect(await obstacleTo(call(), { url }, NOW)).toBe(
      `Nobody has taken a yet. Is a worker of group 'workers' running, at ${url}? ` +
        "Does the worker register 'f'? Its terminal says more.",
    );
  });

  test("whose function cannot be read, the function is not named", async () => {
    const line = await obstacleTo(call({ data: "!" }), { url }, NOW);

    expect(line).toContain("Does the worker register its function?");
  });

  test.each([
    ["acquired", 0],
    ["acquired", 1],
    ["pending", 1],
    ["suspended", 1],
    ["suspended", 7],
  ] as const)("whose task is %s at version %d, nothing is said", async (state, version) => {
    task = { state, version };

    expect(await obstacleTo(call(), { url }, NOW)).toBeUndefined();
  });

  test.each(["pending", "acquired"] as const)(
    "that was taken twice without a step done and is %s, the function is asked after",
    async (state) => {
      task = { state, version: 2 };

      expect(await obstacleTo(call(), { url }, NOW)).toBe(
        "a was taken 2 times, and no step of it is done. Does the worker register 'f'? Its terminal says more.",
      );
    },
  );

  test.each([TAG.parent, TAG.caller])(
    "that was taken twice and has a child by %s, nothing is said",
    async (tag) => {
      task = { state: "pending", version: 2 };
      found = { [TAG.parent]: ["a"], [tag]: ["a", "a:0"] };

      expect(await obstacleTo(call(), { url }, NOW)).toBeUndefined();
    },
  );

  test("that is to start later, nothing is said before", async () => {
    const tags = { [TAG.target]: "poll://any@workers", [TAG.delay]: String(NOW) };

    expect(await obstacleTo(call({ tags }), { url }, NOW - 1)).toBeUndefined();
    expect(await obstacleTo(call({ tags }), { url }, NOW)).toContain("Nobody has taken a yet.");
  });

  test("of a server that refuses the look, nothing is said", async () => {
    server.answer = () => ({ status: 403, data: "no" });

    expect(await obstacleTo(call(), { url }, NOW)).toBeUndefined();
  });

  test("of a server that is gone, it is said that the waiting goes on", async () => {
    const gone = new FakeServer();
    const where = await gone.start();
    await gone.stop();

    expect(await obstacleTo(call(), { url: where }, NOW)).toBe(
      `The server at ${where} does not answer; the waiting goes on.`,
    );
  });
});

test("of a promise without a function it is said how to settle it", async () => {
  expect(await obstacleTo(call({ tags: {} }), { url }, NOW)).toBe(
    "No function runs for a: it waits until somebody settles it, as with: " +
      `resonate promises resolve a --server ${url}`,
  );
});

test("the first look is after 3 s, the next ones after 30, until the waiting ends", async () => {
  const terminal = memoryTerminal();
  const pauses: number[] = [];
  const pause = async (ms: number) => {
    pauses.push(ms);
    if (pauses.length === 3) task = { state: "acquired", version: 1 };
    if (pauses.length === 4) throw new Error("nobody waits any more");
  };

  const telling = tellObstacles({ terminal, server: { url }, promise: call(), pause });

  await expect(telling).rejects.toThrow("nobody waits any more");
  expect(pauses).toEqual([3_000, 30_000, 30_000, 30_000]);
  expect(terminal.errors).toHaveLength(2);
});
