import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PARAM_LENGTH_MAX } from "../../src/engine/call.ts";
import { GIVEN_MAX } from "../../src/engine/claimants.ts";
import { WINDOW } from "../../src/engine/offers.ts";
import { StoreUnavailableError } from "../../src/stores/store.ts";
import {
  calls,
  claimedCreate,
  fulfill,
  global,
  Lab,
  NOW,
  SERVER_URL,
  suspend,
  targeted,
  type Worker,
} from "../support/lab.ts";

let lab: Lab;
beforeEach(async () => {
  lab = await Lab.open({ store: "file" });
});
afterEach(() => lab.close());

const TTL = 60_000;
const work = { tags: targeted, param: calls("f") };

const announce = (pid: string, over: object = {}) =>
  lab.ask("worker.announce", {
    group: "g",
    pid,
    ttl: TTL,
    slots: 10,
    functions: { f: [1] },
    ...over,
  });

async function worker(pid: string, over: object = {}, options: object = {}): Promise<Worker> {
  const connected = lab.connect("g", pid, options);
  expect((await announce(pid, over)).status).toBe(200);
  return connected;
}

const create = (id: string) => ({
  kind: "promise.create",
  data: { id, timeoutAt: NOW + 600_000, ...work },
});
const heartbeat = (pid: string, ...ids: string[]) =>
  lab.ok("task.heartbeat", { pid, tasks: ids.map((id) => ({ id, version: 1 })) });
const held = async (pid: string): Promise<string[]> => {
  const { tasks } = await lab.ok("task.search", { state: "acquired", limit: 1_000 });
  return tasks
    .filter((task: { pid: string }) => task.pid === pid)
    .map((task: { id: string }) => task.id);
};
/** How many commits `work` takes. */
async function commits(work: () => Promise<unknown>): Promise<number> {
  const before = lab.store.commits;
  await work();
  return lab.store.commits - before;
}

describe("an announcement", () => {
  test("is 409 without a stream of that group and process, and 200 with one", async () => {
    lab.connect("other", "w");
    expect((await announce("w")).status).toBe(409);
    lab.connect("g", "w");

    expect(await announce("w")).toEqual({ status: 200, data: {} });
  });

  test("ends with its stream", async () => {
    const first = await worker("w");
    first.disconnect();
    const second = lab.connect("g", "w");

    await lab.create("a", work);
    expect(second.take()).toEqual(["execute a 0"]);
    await announce("w");
    await lab.create("b", work);

    expect(second.take()).toEqual(["claimed b 1 branch"]);
  });

  test("in the middle of a batch is answered in its place, and is no step", async () => {
    lab.connect("g", "w");
    const { begun } = lab.store;
    await announce("w");
    expect(lab.store.begun).toBe(begun);
    const get = { kind: "promise.get", data: { id: "x" } };
    const data = { group: "g", pid: "nobody", ttl: 1, slots: 1, functions: {} };

    const answers = await lab.askAll([get, { kind: "worker.announce", data }, create("a")]);

    expect(answers.map(({ status }) => status)).toEqual([404, 409, 200]);
  });

  test("that comes later takes the place of the one before", async () => {
    const one = await worker("w", { functions: {} });
    await lab.create("a", work);
    await announce("w");
    await lab.create("b", work);

    expect(one.take()).toEqual(["execute a 0", "claimed b 1 branch"]);
  });
});

describe("a claim that comes with the offer", () => {
  test("is an acquire for the worker in the same commit, and says all that one says", async () => {
    const one = await worker("w");

    expect(await commits(() => lab.create("a", work))).toBe(1);

    const task = { id: "a", state: "acquired", version: 1, resumes: 0, pid: "w", ttl: TTL };
    expect(await lab.task("a")).toEqual(task);
    expect(one.messages).toEqual([
      {
        kind: "execute",
        head: { serverUrl: SERVER_URL },
        data: { task, promise: await lab.promise("a"), preload: [] },
      },
    ]);
  });

  test("has a lease like any other", async () => {
    await worker("w", { ttl: 5_000 });
    await lab.create("a", work);
    await heartbeat("w", "a");

    await lab.advance(5_000);

    expect(await lab.task("a")).toMatchObject({ state: "acquired", version: 2 });
  });

  test("is sent after the commit is durable, not before", async () => {
    const one = await worker("w");
    let sent = -1;
    lab.store.afterCommit = () => {
      sent = one.messages.length;
    };

    await lab.create("a", work);

    expect([sent, one.messages.length]).toEqual([0, 1]);
  });

  test("fences whoever comes later with the version of the offer", async () => {
    await worker("w");
    await lab.create("a", work);

    const late = { id: "a", version: 0, pid: "other", ttl: 1 };
    expect((await lab.ask("task.acquire", late)).status).toBe(409);
  });

  test("goes to those who have the function at that version; others get an offer", async () => {
    const one = await worker("w", { functions: { f: [1, 3], g: [2] } });

    for (const [id, param] of Object.entries({
      a: calls("f"),
      b: calls("f", 3),
      c: calls("f", 2),
      d: calls("g"),
      e: calls("g", 2),
      f: calls("h"),
    })) {
      await lab.create(id, { tags: targeted, param });
    }

    expect(one.take()).toEqual([
      "claimed a 1 branch",
      "claimed b 1 branch",
      "execute c 0",
      "execute d 0",
      "claimed e 1 branch",
      "execute f 0",
    ]);
  });

  test("knows functions by names that are not ASCII", async () => {
    const one = await worker("w", { functions: { größe: [1] } });

    await lab.create("a", { tags: targeted, param: calls("größe") });

    expect(one.take()).toEqual(["claimed a 1 branch"]);
  });

  const base64 = (text: string) => ({ data: Buffer.from(text).toString("base64") });
  test.each([
    ["absent", {}],
    ["no base64", { data: "§" }],
    ["no JSON", base64("f")],
    ["no object", base64('"f"')],
    ["null", base64("null")],
    ["without a function", base64('{"args":[]}')],
    ["with a version that is no number", base64('{"func":"f","version":"1"}')],
    ["too long to look at", base64(`{"func":"f","args":["${"x".repeat(PARAM_LENGTH_MAX)}"]}`)],
  ])("is given for no parameters that are %s", async (_, param) => {
    const one = await worker("w");

    await lab.create("a", { tags: targeted, param });

    expect(one.take()).toEqual(["execute a 0"]);
  });

  test("goes round the workers of a group", async () => {
    const [one, two] = [await worker("one"), await worker("two")];

    await lab.askAll(["a", "b", "c", "d"].map(create));

    expect([one.take().length, two.take().length]).toEqual([2, 2]);
  });

  test("passes over those who have not announced, as long as others have room", async () => {
    const plain = lab.connect("g", "plain");
    const one = await worker("w", { slots: 2 });

    for (const id of ["a", "b", "c"]) await lab.create(id, work);

    expect(one.take()).toEqual(["claimed a 1 branch", "claimed b 1 branch"]);
    expect(plain.take()).toEqual(["execute c 0"]);
  });

  test("to an address with an id is for that process only, as long as it is there", async () => {
    const one = await worker("one");
    const two = lab.connect("g", "two");
    const to = (address: string) => ({ ...work, tags: { "resonate:target": address } });

    await lab.create("a", to("poll://uni@g/one"));
    await lab.create("b", to("poll://uni@g/two"));
    await lab.create("c", to("poll://any@g/two"));
    await lab.create("d", to("poll://any@g/three"));

    expect(one.take()).toEqual(["claimed a 1 branch", "claimed d 1 branch"]);
    expect(two.take()).toEqual(["execute b 0", "execute c 0"]);
  });

  test("is given for no task whose delay is ahead, and none of a timer", async () => {
    const one = await worker("w");
    const tags = { ...targeted, "resonate:delay": String(NOW + 1_000) };

    await lab.create("later", { ...work, tags });
    await lab.create("timer", { ...work, tags: { ...targeted, "resonate:timer": "true" } });
    expect(one.take()).toEqual([]);
    await lab.advance(1_000);

    expect(one.take()).toEqual(["claimed later 1 branch"]);
  });
});

describe("who suspended a task", () => {
  /** `t` is suspended by the worker `warm`; `t:0` and `t-awaited` are its promises. */
  async function suspended(over: object = {}, options: object = {}): Promise<Worker> {
    const warm = await worker("warm", over, options);
    await lab.create("t", { param: calls("f"), tags: { ...targeted, "resonate:branch": "t" } });
    await lab.create("t:0", { tags: { "resonate:branch": "t" } });
    await lab.create("t-awaited", { tags: global });
    expect(warm.take()).toEqual(["claimed t 1 branch"]);
    await lab.ok("task.suspend", suspend("t", 1, "t-awaited"));
    return warm;
  }

  test("is given it again, with what settled since, in the commit that wakes it", async () => {
    const others = [await worker("one", { functions: {} }), await worker("two", { functions: {} })];
    const warm = await suspended();
    for (const pid of ["one", "two"]) await announce(pid);

    expect(await commits(() => lab.resolve("t-awaited"))).toBe(1);

    expect(warm.take()).toEqual(["claimed t 2 delta t-awaited"]);
    expect(others.flatMap((other) => other.take())).toEqual([]);
  });

  test("is given it again when it suspended it and what it awaits settled in one batch", async () => {
    const others = [await worker("one", { functions: {} }), await worker("two", { functions: {} })];
    const warm = await suspended();
    for (const pid of ["one", "two"]) await announce(pid);
    await lab.resolve("t-awaited");
    await lab.create("next", { tags: global });
    expect(warm.take()).toEqual(["claimed t 2 delta t-awaited"]);

    await lab.askAll([
      { kind: "task.suspend", data: suspend("t", 2, "next") },
      { kind: "promise.settle", data: { id: "next", state: "resolved" } },
    ]);

    expect(warm.take()).toEqual(["claimed t 3 delta next"]);
    expect(others.flatMap((other) => other.take())).toEqual([]);
  });

  test("is passed over when it has no room; the other reads the whole branch", async () => {
    const warm = await suspended({ slots: 1 });
    await lab.create("busy", work);
    const other = await worker("other");
    expect(warm.take()).toEqual(["claimed busy 1 branch"]);

    await lab.resolve("t-awaited");

    expect([warm.take(), other.take()]).toEqual([[], ["claimed t 2 branch t:0"]]);
  });

  test("is somebody else when another run of its process has taken over", async () => {
    await suspended({}, { incarnation: "1" });
    const next = await worker("warm", {}, { incarnation: "2" });

    await lab.resolve("t-awaited");

    expect(next.take()).toEqual(["claimed t 2 branch t:0"]);
  });

  test("has it no longer when another has claimed it and let it go in one batch", async () => {
    const warm = await suspended();
    await announce("warm", { functions: {} });
    await lab.resolve("t-awaited");
    await announce("warm");
    warm.take();

    await lab.askAll([
      { kind: "task.acquire", data: { id: "t", version: 1, pid: "other", ttl: TTL } },
      { kind: "task.release", data: { id: "t", version: 2 } },
    ]);

    expect(warm.take()).toEqual(["claimed t 3 branch t:0"]);
  });

  test("has it no longer when another has claimed it in between", async () => {
    const warm = await suspended();
    await announce("warm", { functions: {} });
    await lab.resolve("t-awaited");
    expect(warm.take()).toEqual(["execute t 1"]);
    await lab.ok("task.acquire", { id: "t", version: 1, pid: "other", ttl: TTL });
    await announce("warm");

    await lab.ok("task.release", { id: "t", version: 2 });

    expect(warm.take()).toEqual(["claimed t 3 branch t:0"]);
  });
});

describe("the slots of a worker", () => {
  test("are never exceeded by what it is given; the rest is offered", async () => {
    const one = await worker("w", { slots: 2 });

    await lab.askAll(["a", "b", "c"].map(create));

    expect(one.take().sort()).toEqual(["claimed a 1 branch", "claimed b 1 branch", "execute c 0"]);
  });

  test("count what it claims itself, before it announced and after", async () => {
    const one = lab.connect("g", "p1");
    await lab.ok("task.create", claimedCreate("own"));
    await announce("p1", { slots: 2 });
    await lab.ok("task.create", claimedCreate("another"));

    await lab.create("a", work);

    expect(one.take()).toEqual(["execute a 0"]);
  });

  test("count what it holds and what it is being given together", async () => {
    const one = lab.connect("g", "p1");
    await lab.ok("task.create", claimedCreate("own"));
    await announce("p1", { slots: 2 });

    await lab.askAll(["a", "b"].map(create));

    expect(one.take().sort()).toEqual(["claimed a 1 branch", "execute b 0"]);
  });

  test("are free again in the very batch that ends a task", async () => {
    const one = await worker("w", { slots: 1 });
    await lab.create("a", work);
    one.take();

    const both = () => lab.askAll([{ kind: "task.fulfill", data: fulfill("a", 1) }, create("b")]);
    expect(await commits(both)).toBe(1);

    expect(one.take()).toEqual(["claimed b 1 branch"]);
  });

  test(`are ${GIVEN_MAX} at most for what it is given; it asks for more itself`, async () => {
    const one = await worker("w", { slots: 1_000 });

    await lab.askAll(Array.from({ length: GIVEN_MAX + 10 }, (_, at) => create(`t${at}`)));

    const kinds = one.take().map((message) => message.split(" ")[0]);
    expect(kinds.filter((kind) => kind === "claimed")).toHaveLength(GIVEN_MAX);
    expect(kinds.filter((kind) => kind === "execute")).toHaveLength(10);
  });

  test("that come free take what waits in the queue, by an acquire in the next commit", async () => {
    const one = await worker("w", { slots: 1 });
    const ids = Array.from({ length: WINDOW + 3 }, (_, at) => `t${at}`);
    await lab.askAll(ids.map(create));
    const first = one.take();
    expect(first).toHaveLength(WINDOW + 1);

    await lab.ok("task.fulfill", fulfill("t0", 1));
    await lab.settle();

    expect(one.take()).toEqual([`claimed t${WINDOW + 1} 1 branch`]);
    expect(await held("w")).toEqual([`t${WINDOW + 1}`]);
  });

  test("take what waited for somebody to announce", async () => {
    const ids = Array.from({ length: WINDOW + 5 }, (_, at) => `t${at}`);
    await lab.askAll(ids.map(create));
    const one = lab.connect("g", "w");
    expect(one.take()).toHaveLength(WINDOW);

    await announce("w", { slots: 3 });
    await lab.settle();

    expect(one.take()).toHaveLength(3);
    expect(await held("w")).toHaveLength(3);
  });
});

describe("a claim of which nothing is heard", () => {
  test("is taken back after two seconds, and its task goes to others by an offer", async () => {
    const silent = await worker("silent");
    await lab.create("a", work);
    expect(silent.take()).toEqual(["claimed a 1 branch"]);
    const other = await worker("other", { functions: {} });

    await lab.advance(1_999);
    expect(await lab.task("a")).toMatchObject({ state: "acquired" });
    await lab.advance(1_001);

    expect(await lab.task("a")).toMatchObject({ state: "pending", version: 1 });
    expect([silent.take(), other.take()]).toEqual([[], ["execute a 1"]]);
  });

  test("goes to another that can be given claims as one", async () => {
    await worker("silent");
    await lab.create("a", work);
    const other = await worker("other");

    await lab.advance(3_000);

    expect(other.take()).toEqual(["claimed a 2 branch"]);
  });

  test("does not count as a failure", async () => {
    await worker("silent");
    await lab.create("a", work);

    await lab.advance(3_000);

    expect(await lab.task("a")).not.toHaveProperty("failures");
  });

  test("keeps its worker from other claims until it is heard of", async () => {
    const silent = await worker("silent");
    await lab.create("a", work);
    await lab.advance(3_000);
    silent.take();
    await lab.create("b", work);
    expect(silent.take()).toEqual(["execute b 0"]);

    await lab.ok("task.acquire", { id: "b", version: 0, pid: "silent", ttl: TTL });
    await lab.create("c", work);

    expect(silent.take()).toEqual(["claimed c 1 branch"]);
  });

  test("or that is given back at once, because there is no room, is not made again until its worker asks", async () => {
    const full = await worker("full");
    await lab.create("a", work);
    expect(full.take()).toEqual(["claimed a 1 branch"]);

    await lab.ok("task.release", { id: "a", version: 1 });
    await lab.create("b", work);
    expect(full.take()).toEqual(["execute a 1", "execute b 0"]);

    await lab.ok("task.acquire", { id: "a", version: 1, pid: "full", ttl: TTL });
    await lab.create("c", work);
    expect(full.take()).toEqual(["claimed c 1 branch"]);
  });

  test("is made good when every message of ten seconds was lost: all is offered within 2 s", async () => {
    const one = await worker("w");
    await lab.askAll(["a", "b", "c"].map(create));
    await lab.advance(10_000);
    one.take();

    await lab.advance(2_000);

    expect(one.take().sort()).toEqual(["execute a 1", "execute b 1", "execute c 1"]);
  });

  const data = { id: "x", timeoutAt: NOW + 600_000, tags: global };
  test.each([
    ["a heartbeat", "task.heartbeat", { pid: "w", tasks: [{ id: "a", version: 1 }] }],
    ["a fence", "task.fence", { id: "a", version: 1, action: { kind: "promise.create", data } }],
    ["a suspend", "task.suspend", suspend("a", 1, "awaited")],
  ])("is confirmed by %s", async (_, kind, request) => {
    const one = await worker("w");
    await lab.create("awaited", { tags: global });
    await lab.create("a", work);
    one.take();
    expect((await lab.ask(kind, request)).status).toBe(200);

    await lab.advance(10_000);

    expect((await lab.task("a")).version).toBe(1);
    await lab.create("b", work);
    expect(one.take()).toEqual(["claimed b 1 branch"]);
  });

  test.each([
    ["another version", { pid: "w", tasks: [{ id: "a", version: 0 }] }],
    ["another task", { pid: "w", tasks: [{ id: "b", version: 1 }] }],
  ])("is not confirmed by a heartbeat for %s", async (_, request) => {
    await worker("w");
    await lab.create("a", work);
    await lab.ok("task.heartbeat", request);

    await lab.advance(3_000);

    expect((await lab.task("a")).state).toBe("pending");
  });

  test("is taken back by the store as soon as it can", async () => {
    await worker("w");
    await lab.create("a", work);
    lab.store.beforeCommit = () => {
      if (lab.now < NOW + 5_000) throw new StoreUnavailableError("full");
    };

    await lab.advance(6_000).catch(() => undefined);

    expect((await lab.task("a")).state).toBe("pending");
  });
});

describe("a claim that does not reach its worker", () => {
  test("because its buffer is full is taken back at once, and the worker gets no more until it is heard of", async () => {
    const full = await worker("full");
    full.accepts = false;

    const spent = await commits(async () => {
      await lab.create("a", work);
      await lab.settle();
    });

    expect(spent).toBeLessThan(8);
    expect(await lab.task("a")).toMatchObject({ state: "pending", version: 1 });
    expect(await lab.task("a")).not.toHaveProperty("failures");
    full.accepts = true;
    await lab.advance(1_000);
    expect(full.take()).toEqual(["execute a 1"]);
  });

  test("because its buffer is full goes to another", async () => {
    const full = await worker("full");
    full.accepts = false;
    const other = await worker("other");
    await lab.create("a", work);
    await lab.settle();

    expect(other.take()).toEqual(["claimed a 2 branch"]);
  });

  test("because it went while the commit was under way is taken back", async () => {
    const gone = await worker("gone");
    lab.store.beforeCommit = () => {
      lab.store.beforeCommit = () => {};
      gone.disconnect();
    };

    await lab.create("a", work);
    await lab.settle();

    expect(await lab.task("a")).toMatchObject({ state: "pending", version: 1 });
  });

  test("because its worker was killed is offered again when the grace is over", async () => {
    const killed = await worker("killed", {}, { graceMs: 1_000 });
    await lab.create("a", work);
    await heartbeat("killed", "a");
    killed.disconnect();
    const other = await worker("other");

    await lab.advance(1_000);

    expect(other.take()).toEqual(["claimed a 2 branch"]);
  });

  test("because the server ended after the commit is free after the restart", async () => {
    await worker("w");
    await lab.create("a", work);

    await lab.restart();

    expect(lab.connect("g", "w").take()).toEqual(["execute a 1"]);
  });
});

describe("a transaction that fails", () => {
  test("gives nothing and reserves nothing", async () => {
    const one = await worker("w", { slots: 1 });
    lab.store.beforeCommit = () => {
      throw new StoreUnavailableError("full");
    };
    expect((await lab.ask("promise.create", create("a").data)).status).toBe(503);
    lab.store.beforeCommit = () => {};
    expect(one.take()).toEqual([]);

    await lab.create("b", work);

    expect(one.take()).toEqual(["claimed b 1 branch"]);
  });

  test("because of one step gives what the others, tried alone, leave pending", async () => {
    const one = await worker("w", { slots: 2 });
    lab.store.poisoned.add("bad");

    await lab.askAll([create("a"), create("bad"), create("b"), create("c")]);

    expect(one.take().sort()).toEqual(["claimed a 1 branch", "claimed b 1 branch", "execute c 0"]);
  });

  test("as it claims what waited leaves it waiting, and does not try without end", async () => {
    const ids = Array.from({ length: WINDOW + 2 }, (_, at) => `t${at}`);
    await lab.askAll(ids.map(create));
    const one = lab.connect("g", "w");
    lab.store.beforeCommit = () => {
      throw new StoreUnavailableError("full");
    };
    const { begun } = lab.store;
    await announce("w");
    for (let turns = 0; turns < 50; turns++) await lab.ask("promise.get", { id: "x" });
    expect(lab.store.begun - begun).toBeLessThan(70);
    lab.store.beforeCommit = () => {};
    one.take();

    await lab.advance(1_000);

    expect(one.take().filter((message) => message.startsWith("claimed"))).toHaveLength(2);
  });
});

test("two streams of one id: the later replaces the earlier if both know of leases", async () => {
  const first = lab.connect("g", "w", { lease: true });
  const second = lab.connect("g", "w", { lease: true });

  expect([first.closed, second.closed, lab.engine.connections]).toEqual([true, false, 1]);
});

test("two streams of one id: otherwise the first keeps what is addressed to it, and both serve the group", async () => {
  const first = lab.connect("g", "w", { lease: false });
  const second = lab.connect("g", "w", { lease: false });
  for (const id of ["a", "b"]) {
    await lab.create(id, { tags: { "resonate:target": "poll://uni@g/w" } });
  }
  expect([first.closed, first.take(), second.take()]).toEqual([
    false,
    ["execute a 0", "execute b 0"],
    [],
  ]);
  for (const id of ["c", "d"]) await lab.create(id, { tags: targeted });
  expect([first.take(), second.take()]).toEqual([["execute c 0"], ["execute d 0"]]);

  first.disconnect();

  expect(second.take().sort()).toEqual(["execute a 0", "execute b 0", "execute c 0"]);
});
