import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NOTICE_LIFETIME_MS } from "../../src/core/promise/notify.ts";
import { claimedCreate, global, Lab, NOW, RETRY_MS, SERVER_URL, targeted } from "../support/lab.ts";

let lab: Lab;
beforeEach(async () => {
  lab = await Lab.open();
});
afterEach(() => lab.close());

const to = (address: string) => ({ tags: { "resonate:target": address } });

describe("an offer", () => {
  test("is an execute message with the server's address, the id and the version", async () => {
    const worker = lab.connect("g", "w");

    await lab.create("a", { tags: targeted });

    expect(worker.messages).toEqual([
      {
        kind: "execute",
        head: { serverUrl: SERVER_URL },
        data: { task: { id: "a", version: 0 } },
      },
    ]);
  });

  test("waits for a worker of its group and is made when one connects", async () => {
    await lab.create("a", { tags: targeted });
    await lab.create("b", to("poll://any@other"));

    const worker = lab.connect("g", "w");

    expect(worker.take()).toEqual(["execute a 0"]);
  });

  test("goes to the workers of a group in turn", async () => {
    const one = lab.connect("g", "one");
    const two = lab.connect("g", "two");

    for (const id of ["a", "b", "c", "d"]) await lab.create(id, { tags: targeted });

    expect([one.take(), two.take()]).toEqual([
      ["execute a 0", "execute c 0"],
      ["execute b 0", "execute d 0"],
    ]);
  });

  test("to any@GROUP/ID goes to that process, and to another when it is not there", async () => {
    const one = lab.connect("g", "one");
    const two = lab.connect("g", "two");
    for (const id of ["a", "b"]) await lab.create(id, to("poll://any@g/two"));
    expect(two.take()).toEqual(["execute a 0", "execute b 0"]);

    await lab.create("c", to("poll://any@g/three"));

    expect(one.take()).toEqual(["execute c 0"]);
  });

  test("to uni@GROUP/ID goes to that process only", async () => {
    const one = lab.connect("g", "one");

    await lab.create("a", to("poll://uni@g/two"));
    expect(one.take()).toEqual([]);
    const two = lab.connect("g", "two");

    expect(two.take()).toEqual(["execute a 0"]);
  });

  test("reaches a group and a process by their decoded names, in exact case", async () => {
    const worker = lab.connect("my group", "ü");
    const upper = lab.connect("G", "w");

    await lab.create("a", to("poll://uni@my%20group/%C3%BC"));
    await lab.create("b", to("poll://any@g"));

    expect([worker.take(), upper.take()]).toEqual([["execute a 0"], []]);
  });

  test("that is left unanswered for two seconds goes to another, and not before", async () => {
    const one = lab.connect("g", "one");
    await lab.create("a", { tags: targeted });
    expect(one.take()).toEqual(["execute a 0"]);
    const two = lab.connect("g", "two");

    await lab.advance(1_999);
    expect([one.take(), two.take()]).toEqual([[], []]);
    await lab.advance(1_001);

    expect([one.take(), two.take()]).toEqual([[], ["execute a 0"]]);
  });

  test("that was answered is not made again", async () => {
    const one = lab.connect("g", "one");
    const two = lab.connect("g", "two");
    await lab.create("a", { tags: targeted });
    expect(one.take()).toEqual(["execute a 0"]);
    await lab.ok("task.acquire", { id: "a", version: 0, pid: "one", ttl: 60_000 });

    await lab.advance(10_000);

    expect([one.take(), two.take()]).toEqual([[], []]);
  });

  test("goes to another at once when its worker's connection closes", async () => {
    const one = lab.connect("g", "one");
    await lab.create("a", { tags: targeted });
    const two = lab.connect("g", "two");
    expect([one.take(), two.take()]).toEqual([["execute a 0"], []]);

    one.disconnect();

    expect(two.take()).toEqual(["execute a 0"]);
  });

  test("that a full buffer did not take is made again within a second or so", async () => {
    const worker = lab.connect("g", "w");
    worker.accepts = false;
    await lab.create("a", { tags: targeted });
    worker.accepts = true;

    await lab.advance(1_000);

    expect(worker.take()).toEqual(["execute a 0"]);
  });

  test("is made again when a worker does not claim for the retry time-out", async () => {
    await lab.create("a", { tags: targeted });
    await lab.advance(RETRY_MS);

    const worker = lab.connect("g", "w");

    expect(worker.take()).toEqual(["execute a 0"]);
  });

  test("that nobody takes is written ever less often, and is made at once to who comes", async () => {
    await lab.create("a", { tags: targeted, timeoutAt: NOW + 10 ** 9 });
    const { looks } = lab.store;

    await lab.advance(7_200_000);

    // After 30 s, and then after as long again as it is old: 1, 2, 4 … 64 minutes.
    expect(lab.store.looks - looks).toBeLessThanOrEqual(9);
    expect(lab.connect("g", "w").take()).toEqual(["execute a 0"]);
  });

  test("that waits ends with the deadline, be it acted on or not", async () => {
    await lab.create("a", { tags: targeted, timeoutAt: NOW + 10 });
    lab.jump(10);

    expect(lab.connect("g", "w").take()).toEqual([]);
  });

  test("that was left unanswered is not made again after the deadline, be it acted on or not", async () => {
    const one = lab.connect("g", "one");
    await lab.create("a", { tags: targeted, timeoutAt: NOW + 10 });
    const two = lab.connect("g", "two");
    lab.store.due = async () => ({ steps: [] });

    await lab.advance(10_000);

    expect([one.take(), two.take()]).toEqual([["execute a 0"], []]);
  });

  test("ends with the deadline", async () => {
    await lab.create("a", { tags: targeted, timeoutAt: NOW + 10 });
    await lab.advance(10);

    expect(lab.connect("g", "w").take()).toEqual([]);
  });

  test.each(["https://example.test/push", "gcps://project/topic"])(
    "to %s is kept pending",
    async (address) => {
      await lab.create("a", to(address));
      await lab.advance(RETRY_MS);

      expect(await lab.task("a")).toMatchObject({ state: "pending", version: 0 });
    },
  );
});

describe("a lease", () => {
  const hold = async () => {
    const holder = lab.connect("g", "p1", { graceMs: 1_000 });
    await lab.ok("task.create", claimedCreate("a", { ttl: 60_000 }));
    return holder;
  };

  test("is lost when its holder's connection has been closed for its grace, not before", async () => {
    const holder = await hold();
    const other = lab.connect("g", "other");
    holder.disconnect();

    await lab.advance(999);
    expect([other.take(), (await lab.task("a")).state]).toEqual([[], "acquired"]);
    await lab.advance(1);

    expect([other.take(), (await lab.task("a")).state]).toEqual([["execute a 1"], "pending"]);
  });

  test("is kept when the holder is back in time", async () => {
    const holder = await hold();
    holder.disconnect();
    await lab.advance(999);
    lab.connect("g", "p1");

    await lab.advance(10_000);

    expect(await lab.task("a")).toMatchObject({ state: "acquired", version: 1 });
  });

  test("is kept when a new connection of the holder has taken the old one's place", async () => {
    const old = await hold();
    const current = lab.connect("g", "p1");
    old.disconnect();

    await lab.advance(10_000);

    expect([old.closed, current.closed, lab.engine.connections]).toEqual([true, false, 1]);
    expect(await lab.task("a")).toMatchObject({ state: "acquired" });
    await lab.create("b", { tags: targeted });
    expect(current.take()).toEqual(["execute b 0"]);
    expect(old.take()).toEqual([]);
  });

  test("is lost though somebody of another group goes by the name of its holder", async () => {
    const holder = await hold();
    lab.connect("another", "p1");
    holder.disconnect();

    await lab.advance(1_000);

    expect(await lab.task("a")).toMatchObject({ state: "pending" });
  });

  test("is kept when somebody of another group goes by the name of its holder, and leaves", async () => {
    await lab.ok("task.create", claimedCreate("a", { ttl: 60_000 }));
    const stranger = lab.connect("another", "p1", { graceMs: 1_000 });
    stranger.disconnect();

    await lab.advance(10_000);

    expect(await lab.task("a")).toMatchObject({ state: "acquired", version: 1 });
  });

  test("is kept when runs of that name follow each other in another group", async () => {
    await hold();
    lab.connect("another", "p1", { incarnation: "1" });
    lab.connect("another", "p1", { incarnation: "2" }).disconnect();
    lab.connect("another", "p1", { incarnation: "3" });

    await lab.advance(10_000);

    expect(await lab.task("a")).toMatchObject({ state: "acquired", version: 1 });
  });

  test("that somebody else ends is told to its holder's group alone", async () => {
    const holder = await hold();
    const stranger = lab.connect("another", "p1");

    await lab.resolve("a");
    await lab.settle();

    expect([holder.take(), stranger.take()]).toEqual([["unblock a resolved"], []]);
  });

  test("is lost in the same way when the claim was on its way as its holder went", async () => {
    lab.connect("g", "p1", { graceMs: 1_000 }).disconnect();
    await lab.advance(5_000);
    await lab.ok("task.create", claimedCreate("a", { ttl: 60_000 }));

    await lab.advance(999);
    expect((await lab.task("a")).state).toEqual("acquired");
    await lab.advance(1);

    expect((await lab.task("a")).state).toEqual("pending");
  });

  test("is not lost to a run of its process that connects again after another one: both live", async () => {
    lab.connect("g", "p1", { incarnation: "1" });
    lab.connect("g", "p1", { incarnation: "2" });
    await lab.ok("task.create", claimedCreate("a", { ttl: 60_000 }));

    lab.connect("g", "p1", { incarnation: "1" });
    await lab.advance(5_000);

    expect(await lab.task("a")).toMatchObject({ state: "acquired", version: 1 });
  });

  test("is lost at once when another run of its process connects, open stream or not", async () => {
    for (const id of ["a", "b"]) {
      const first = lab.connect("g", "p1", { graceMs: 1_000, incarnation: `${id} 1` });
      await lab.ok("task.create", claimedCreate(id, { ttl: 60_000 }));
      if (id === "a") first.disconnect();

      lab.connect("g", "p1", { graceMs: 1_000, incarnation: `${id} 2` });
      await lab.advance(1);

      expect(await lab.task(id)).toMatchObject({ state: "pending", version: 1 });
      await lab.resolve(id);
    }
  });

  test("is kept when the same run of its process connects again", async () => {
    lab.connect("g", "p1", { graceMs: 1_000, incarnation: "1" }).disconnect();
    await lab.ok("task.create", claimedCreate("a", { ttl: 60_000 }));
    lab.connect("g", "p1", { graceMs: 1_000, incarnation: "1" });

    await lab.advance(10_000);

    expect((await lab.task("a")).state).toEqual("acquired");
  });

  test("whose promise is settled by others, or by its deadline, ends with word to its holder", async () => {
    const holder = lab.connect("g", "p1");
    await lab.ok("task.create", claimedCreate("a", { timeoutAt: NOW + 100, ttl: 60_000 }));
    await lab.ok("task.create", claimedCreate("b", { ttl: 60_000 }));
    await lab.ok("task.create", claimedCreate("c", { ttl: 60_000 }));
    const settle = { data: { id: "c", state: "resolved" }, kind: "promise.settle" };

    await lab.resolve("b");
    await lab.ok("task.fulfill", { id: "c", version: 1, action: settle });
    await lab.advance(100);

    expect(holder.take()).toEqual(["unblock b resolved", "unblock a rejected_timedout"]);
  });

  test("of a process that was never connected runs its time", async () => {
    await lab.ok("task.create", claimedCreate("a", { ttl: 60_000 }));
    lab.connect("g", "other").disconnect();

    await lab.advance(59_999);
    expect(await lab.task("a")).toMatchObject({ state: "acquired" });
    await lab.advance(1);

    expect(await lab.task("a")).toMatchObject({ state: "pending" });
  });

  test("that was lost fences the old holder", async () => {
    const holder = await hold();
    holder.disconnect();
    await lab.advance(1_000);
    await lab.ok("task.acquire", { id: "a", version: 1, pid: "other", ttl: 60_000 });

    expect((await lab.ask("task.release", { id: "a", version: 1 })).status).toBe(409);
  });
});

describe("a notice", () => {
  const listen = (address: string) =>
    lab.ok("promise.register_listener", { awaited: "a", address });
  beforeEach(async () => {
    await lab.create("a", { tags: global });
  });

  test("goes to every listener, once, and leaves nothing to do", async () => {
    const one = lab.connect("g", "one");
    const two = lab.connect("g", "two");
    await listen("poll://uni@g/one");
    await listen("poll://uni@g/two");

    await lab.resolve("a");
    await lab.advance(2 * RETRY_MS);

    expect([one.take(), two.take()]).toEqual([["unblock a resolved"], ["unblock a resolved"]]);
    expect(await lab.store.due(NOW + 10 ** 9, 10)).toEqual({ steps: [] });
  });

  test("that reaches nobody is tried again until it does", async () => {
    await listen("poll://uni@g/one");
    await lab.resolve("a");
    const one = lab.connect("g", "one");
    expect(one.take()).toEqual([]);

    await lab.advance(RETRY_MS);
    expect(one.take()).toEqual(["unblock a resolved"]);
    await lab.advance(3 * RETRY_MS);

    expect(one.take()).toEqual([]);
  });

  test("that reaches nobody for long is given up", async () => {
    await listen("poll://uni@g/one");
    await lab.resolve("a");

    await lab.advance(NOTICE_LIFETIME_MS + 2 * RETRY_MS);

    expect(await lab.store.due(NOW + 10 ** 9, 10)).toEqual({ steps: [] });
  });

  test("comes after its promise was settled, in the same commit as the answer", async () => {
    const one = lab.connect("g", "one");
    await listen("poll://uni@g/one");

    await lab.resolve("a");

    expect(one.take()).toEqual(["unblock a resolved"]);
  });
});
