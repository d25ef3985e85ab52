/** What changes is told to those who look on, and costs nothing while nobody does. */
import type { DashboardEvent, ExecutionNode } from "@resonate-ts/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Activity } from "../../src/dashboard/activity.ts";
import { Live } from "../../src/dashboard/live.ts";
import type { Engine, Observer } from "../../src/engine/engine.ts";
import type { Inside } from "../../src/engine/inside.ts";
import { openEngine } from "../../src/open.ts";
import { RecordingLogger } from "../support/logger.ts";
import { create, insideOf, send, tagsOf } from "./engine.ts";

/** One who looks on. */
class Looker {
  readonly events: DashboardEvent[] = [];
  /** Whether it takes what it is told. */
  ready = true;
  ended = false;
  #look: () => void = () => {};

  tell(event: DashboardEvent): boolean {
    if (this.ready) this.events.push(event);
    this.#look();
    return this.ready;
  }

  over(): void {
    this.ended = true;
  }

  /** Resolves when `holds` does. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }

  /** Nodes that were told, the last of each id. */
  nodes(event: "nodes" | "executions"): ReadonlyMap<string, ExecutionNode> {
    const told = this.events.flatMap((one) => (one.event === event ? one.data : []));
    return new Map(told.map((node) => [node.id, node]));
  }

  count(event: DashboardEvent["event"]): number {
    return this.events.filter((one) => one.event === event).length;
  }
}

let engine: Engine;
let live: Live;
let inside: Inside;
/** Reads of the store by those who look on. */
let reads = 0;
const failures: unknown[] = [];

beforeEach(async () => {
  const activity = new Activity(() => inside?.now() ?? 0);
  const observer: Observer = {
    committing: () => (committed) => {
      activity.committed(committed);
      live?.written(committed.changes);
    },
  };
  engine = await openEngine({ observer, logger: new RecordingLogger() });
  inside = counting(insideOf(engine));
  live = new Live({ inside, activity, failed: (error) => failures.push(error) });
});
afterEach(async () => {
  live.close();
  await engine.close();
  expect(failures.splice(0)).toEqual([]);
});

function counting(own: Inside): Inside {
  const records = new Proxy(own.records, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== "function") return value;
      return (...asked: unknown[]) => {
        reads++;
        return value.apply(target, asked);
      };
    },
  });
  return { ...own, records };
}

async function watched(id?: string): Promise<Looker & { stop(): void }> {
  const looker = new Looker();
  const stop = await live.watch(looker, id);
  if (!stop) throw new Error(`there is no '${id}'`);
  return Object.assign(looker, { stop });
}

const settle = (id: string) =>
  ({ kind: "promise.settle", data: { id, state: "resolved", value: {} } }) as const;

test("runs that begin and end are told, and calls below them are not", async () => {
  const looker = await watched();
  await send(engine, [
    create("a", { tags: tagsOf.run("a") }),
    create("a:0", { tags: tagsOf.call("a:0", "a") }),
    create("own", { tags: tagsOf.shared("own", "a") }),
  ]);
  await looker.until(() => looker.nodes("executions").has("a"));
  await send(engine, [settle("a")]);
  await looker.until(() => looker.nodes("executions").get("a")?.state === "resolved");

  expect([...looker.nodes("executions").keys()]).toEqual(["a"]);
});

test("of a run all that belongs to it is told, from wherever it is looked at, and nothing else", async () => {
  await send(engine, [
    create("a", { tags: tagsOf.run("a") }),
    create("a:0", { tags: tagsOf.call("a:0", "a") }),
  ]);
  const looker = await watched("a:0");
  await send(engine, [
    create("b", { tags: tagsOf.run("b") }),
    create("own", { tags: tagsOf.shared("own", "a:0") }),
    create("own:0", { tags: tagsOf.call("own:0", "own") }),
  ]);
  await send(engine, [
    { kind: "task.acquire", data: { id: "own", version: 0, pid: "w", ttl: 60_000 } },
  ]);
  await looker.until(() => looker.nodes("nodes").get("own")?.task?.pid === "w");

  expect([...looker.nodes("nodes").keys()].toSorted()).toEqual(["own", "own:0"]);
  expect(looker.nodes("executions").size).toBe(0);
});

test("who was at a task is told also when the claim began and ended between two looks", async () => {
  await send(engine, [create("a", { tags: tagsOf.run("a") })]);
  const looker = await watched("a");
  const claim = { id: "a", version: 0, pid: "ada", ttl: 60_000 };
  await send(engine, [
    { kind: "task.acquire", data: claim },
    { kind: "task.release", data: { id: "a", version: 1 } },
  ]);
  await looker.until(() => looker.nodes("nodes").get("a")?.task?.version === 1);

  expect(looker.nodes("nodes").get("a")?.task).toMatchObject({ state: "pending", pid: "ada" });
});

test("what happens within a moment is told together", async () => {
  await send(engine, [create("a", { tags: tagsOf.run("a") })]);
  const looker = await watched("a");
  const ids = Array.from({ length: 500 }, (_, at) => `a:${at}`);
  for (const id of ids) await send(engine, [create(id, { tags: tagsOf.call(id, "a") })]);
  await looker.until(() => looker.nodes("nodes").size === 500);

  expect(looker.count("nodes")).toBeLessThan(100);
});

test("more than can be told at once is left out, and everything is to be read again", async () => {
  await send(engine, [create("a", { tags: tagsOf.run("a") })]);
  const looker = await watched("a");
  const ids = Array.from({ length: 2_000 }, (_, at) => `a:${at}`);
  const of = (id: string) => create(id, { tags: tagsOf.call(id, "a") });
  // In one turn, so that all of them are told of together.
  await Promise.all([
    send(engine, ids.slice(0, 1_000).map(of)),
    send(engine, ids.slice(1_000).map(of)),
  ]);
  await looker.until(() => looker.count("reset") > 0);

  // Again at once, which is too soon to be told, and nothing happens after it.
  await Promise.all([
    send(engine, ids.slice(0, 1_000).map(settle)),
    send(engine, ids.slice(1_000).map(settle)),
  ]);
  await looker.until(() => looker.count("reset") > 1);
});

test("one who cannot take what he is told is told to read everything again when he can", async () => {
  const looker = await watched();
  looker.ready = false;
  await send(engine, [create("a", { tags: tagsOf.run("a") })]);
  await looker.until(() => true);
  const told = new Promise<void>((resolve) => {
    const before = looker.tell.bind(looker);
    looker.tell = (event) => {
      const taken = before(event);
      resolve();
      return taken;
    };
  });
  await told;
  looker.ready = true;
  await looker.until(() => looker.events.length > 0);

  expect(looker.events[0]?.event).toBe("reset");
});

test("each second in which something happened is told, and who is connected when that changes", async () => {
  const looker = await watched();
  await send(engine, [create("a", { tags: tagsOf.run("a") })]);
  const disconnect = engine.connect({
    group: "g",
    id: "w",
    graceMs: 0,
    send: () => true,
    closed() {},
  });
  await looker.until(() => looker.count("activity") > 0 && looker.count("workers") > 0);

  const point = looker.events.find(({ event }) => event === "activity")?.data;
  expect(point).toMatchObject({ commits: expect.any(Number), created: 1 });
  await looker.until(() =>
    looker.events.some(
      (one) => one.event === "workers" && one.data.some(({ workers }) => workers[0]?.id === "w"),
    ),
  );
  disconnect();
});

test("while nobody looks nothing is read", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "clearTimeout", "clearInterval"] });
  const looker = await watched();
  looker.stop();
  reads = 0;
  const ids = Array.from({ length: 100 }, (_, at) => `a${at}`);
  for (const id of ids) await send(engine, [create(id, { tags: tagsOf.run(id) })]);
  await vi.advanceTimersByTimeAsync(10_000);
  vi.useRealTimers();

  expect(reads).toBe(0);
  expect(looker.events).toEqual([]);
});

test("of what is not there nothing can be told", async () => {
  expect(await live.watch(new Looker(), "absent")).toBeUndefined();
});

test("whoever looks hears when it is over", async () => {
  const looker = await watched();

  live.close();

  expect(looker.ended).toBe(true);
});
