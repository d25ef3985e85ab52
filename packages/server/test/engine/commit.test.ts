import { PROTOCOL_VERSION, type Request } from "@resonate-ts/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  CommitUnknownError,
  StoreUnavailableError,
  StoreUnknownError,
} from "../../src/stores/store.ts";
import { global, Lab, NOW, RETRY_MS, targeted } from "../support/lab.ts";

let lab: Lab;
beforeEach(async () => {
  lab = await Lab.open();
});
afterEach(() => lab.close());

const create = (id: string) => ({
  kind: "promise.create",
  data: { id, timeoutAt: NOW + 600_000, tags: targeted },
});
const get = (id: string) => ({ kind: "promise.get", data: { id } });
const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status);

/** A gate that a store can wait at. */
function gate() {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  return {
    reached,
    open,
    wait() {
      reach();
      return opened;
    },
  };
}

const HEARTBEAT = { pid: "p", tasks: [{ id: "a", version: 1 }] };

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("one commit", () => {
  test("takes all requests that arrive together", async () => {
    const { commits } = lab.store;

    const answers = await lab.askAll(Array.from({ length: 50 }, (_, at) => create(`p${at}`)));

    expect(new Set(statuses(answers))).toEqual(new Set([200]));
    expect(lab.store.commits - commits).toBe(1);
  });

  test("takes all that arrived while the one before was under way", async () => {
    const { commits } = lab.store;
    const first = gate();
    lab.store.beforeCommit = () => first.wait();
    const asked = [lab.ask("promise.create", create("first").data)];
    await first.reached;

    for (let at = 0; at < 10; at++) {
      asked.push(lab.ask("promise.create", create(`p${at}`).data));
      await turn();
    }
    lab.store.beforeCommit = () => {};
    first.open();
    await Promise.all(asked);

    expect(lab.store.commits - commits).toBe(2);
  });

  test("takes heartbeats before all that has waited longer", async () => {
    const first = gate();
    lab.store.beforeCommit = () => first.wait();
    const answered: string[] = [];
    const ask = (name: string, kind: string, data: unknown) =>
      lab.ask(kind, data).then(() => answered.push(name));
    const asked = [ask("first", "promise.create", create("first").data)];
    await first.reached;

    for (let at = 0; at < 2_000; at++) asked.push(ask(`p${at}`, "promise.get", { id: `p${at}` }));
    asked.push(ask("heartbeat", "task.heartbeat", HEARTBEAT));
    lab.store.beforeCommit = () => {};
    first.open();
    await Promise.all(asked);

    expect(answered.slice(0, 2)).toEqual(["first", "heartbeat"]);
  });

  test("answers in order, each request seeing those before it", async () => {
    const answers = await lab.askAll([get("a"), create("a"), get("a"), create("a"), get("b")]);

    expect(statuses(answers)).toEqual([404, 200, 200, 200, 404]);
    expect(answers[3]).toEqual(answers[1]);
  });

  test("is durable before anyone hears of it: neither answer nor message comes earlier", async () => {
    const worker = lab.connect("g", "w");
    const durable = gate();
    lab.store.afterCommit = () => durable.wait();
    let answered = false;

    const asked = lab.ask("promise.create", create("a").data).then(() => {
      answered = true;
    });
    await durable.reached;
    for (let turns = 0; turns < 5; turns++) await turn();
    expect([answered, worker.take()]).toEqual([false, []]);
    durable.open();
    await asked;

    expect(worker.take()).toEqual(["execute a 0"]);
  });

  test("of nothing is none", async () => {
    const { begun } = lab.store;

    expect(await lab.engine.process([])).toEqual([]);
    expect(lab.store.begun).toBe(begun);
  });

  test("sends no offer for a task that was claimed in it", async () => {
    const worker = lab.connect("g", "w");

    const answers = await lab.askAll([
      create("a"),
      { kind: "task.acquire", data: { id: "a", version: 0, pid: "x", ttl: 60_000 } },
    ]);
    await lab.advance(10_000);

    expect(statuses(answers)).toEqual([200, 200]);
    expect(worker.take()).toEqual([]);
  });

  test("sends one offer for a task that was released and claimed and released in it", async () => {
    await lab.given("a", "acquired");
    const worker = lab.connect("g", "w");

    await lab.askAll([
      { kind: "task.release", data: { id: "a", version: 1 } },
      { kind: "task.acquire", data: { id: "a", version: 1, pid: "x", ttl: 60_000 } },
      { kind: "task.release", data: { id: "a", version: 2 } },
    ]);

    expect(worker.take()).toEqual(["execute a 2"]);
  });

  test("sends one offer for a task that became pending twice in it", async () => {
    await lab.given("a", "halted");
    const worker = lab.connect("g", "w");
    const halt = { kind: "task.halt", data: { id: "a" } };
    const goOn = { kind: "task.continue", data: { id: "a" } };

    await lab.askAll([goOn, halt, goOn]);

    expect(worker.take()).toEqual(["execute a 0"]);
  });
});

describe("a request that breaks", () => {
  beforeEach(() => {
    lab.store.poisoned.add("bad");
  });

  test("is 500 alone; the others of its commit succeed, in order", async () => {
    const answers = await lab.askAll([create("a"), create("bad"), get("a"), create("c")]);

    expect(statuses(answers)).toEqual([200, 500, 200, 200]);
    expect(lab.logger.errors).not.toEqual([]);
    expect(statuses(await lab.askAll([get("a"), get("c")]))).toEqual([200, 200]);
  });

  test("leaves the answers of its batch the budget that they have together", async () => {
    const large = { id: "large", timeoutAt: NOW + 1, param: { data: "x".repeat(3 * 2 ** 20) } };
    await lab.ask("promise.create", { ...large, tags: {} });
    const requests = ["bad", "large", "large", "large", "large"].map(
      (id): Request => ({
        kind: "promise.get",
        head: { corrId: id, version: PROTOCOL_VERSION },
        data: { id },
      }),
    );

    const answers = await lab.engine.process(requests);

    // 8 MiB, passed by the third.
    expect(answers.map(({ head }) => head.status)).toEqual([500, 200, 200, 200, 503]);
  });

  test("is 500 alone among those sent as one batch", async () => {
    const requests = ["a", "bad", "c"].map(
      (id): Request => ({
        kind: "promise.create",
        head: { corrId: id, version: PROTOCOL_VERSION },
        data: { id, timeoutAt: NOW + 1, param: {}, tags: {} },
      }),
    );

    const answers = await lab.engine.process(requests);

    expect(answers.map(({ head }) => [head.corrId, head.status])).toEqual([
      ["a", 200],
      ["bad", 500],
      ["c", 200],
    ]);
  });

  test("leaves nothing behind of what it had done", async () => {
    await lab.given("t", "acquired");
    lab.store.poisoned.add("inner");

    const fenced = await lab.ask("task.fence", {
      id: "t",
      version: 1,
      action: { kind: "promise.create", data: create("inner").data },
    });
    lab.store.poisoned.clear();

    expect(fenced.status).toBe(500);
    expect((await lab.ask("promise.get", { id: "inner" })).status).toBe(404);
  });
});

describe("a store that cannot write just now", () => {
  test("is 503, and everything goes on when it can", async () => {
    lab.store.beforeCommit = () => {
      throw new StoreUnavailableError("full");
    };
    const refused = await lab.askAll([create("a"), create("b")]);
    lab.store.beforeCommit = () => {};

    expect(statuses(refused)).toEqual([503, 503]);
    expect(statuses(await lab.askAll([get("a"), create("b")]))).toEqual([404, 200]);
  });

  test("delays what is due, and loses none of it: it is taken within a second of healing", async () => {
    await lab.given("t", "suspended");
    await lab.create("due", { tags: global, timeoutAt: NOW + 1_000 });
    await lab.ok("promise.register_callback", { awaited: "due", awaiter: "t" });
    lab.store.beforeCommit = () => {
      throw new StoreUnavailableError("full");
    };
    const failing = { head: { corrId: "x", version: PROTOCOL_VERSION }, data: { id: "idle" } };
    await lab.advance(1_000);
    expect((await lab.engine.process([{ kind: "promise.get", ...failing }]))[0]?.head.status).toBe(
      503,
    );
    lab.store.beforeCommit = () => {};

    await lab.advance(1_000);

    expect(await lab.task("t")).toMatchObject({ state: "pending", resumes: 1 });
  });
});

describe("a commit whose outcome is unknown", () => {
  const unknown = () => {
    throw new StoreUnknownError("i/o error");
  };

  test("is 500 to all that wait, and the engine fails, closes its connections and writes no more", async () => {
    const worker = lab.connect("g", "w");
    const failed = expect(lab.engine.failed).rejects.toThrow("i/o error");
    lab.store.afterCommit = unknown;

    const answers = await lab.askAll([create("a"), create("b")]);
    await failed;
    const { begun } = lab.store;

    expect(statuses(answers)).toEqual([500, 500]);
    expect(worker.closed).toBe(true);
    expect(statuses(await lab.askAll([create("c")]))).toEqual([503]);
    expect(lab.store.begun).toBe(begun);
  });

  test("stops also what was to be tried one by one", async () => {
    const failed = expect(lab.engine.failed).rejects.toThrow("i/o error");
    let tries = 0;
    lab.store.beforeCommit = () => {
      tries++;
      if (tries === 1) throw new Error("breaks");
      unknown();
    };

    const answers = await lab.askAll([create("a"), create("b"), create("c")]);
    await failed;

    expect([tries, statuses(answers)]).toEqual([2, [500, 500, 500]]);
  });

  test("that the engine need not know is 500 to all that shared it, and everything goes on", async () => {
    const { begun } = lab.store;
    lab.store.afterCommit = () => {
      throw new CommitUnknownError("the connection broke");
    };

    const answers = await lab.askAll([create("a"), create("b")]);
    lab.store.afterCommit = () => {};

    expect(statuses(answers)).toEqual([500, 500]);
    expect(lab.store.begun).toBe(begun + 1);
    // Whoever asks again hears what became of it.
    expect(statuses(await lab.askAll([create("a"), create("c")]))).toEqual([200, 200]);
  });

  test("of due steps fails the engine too", async () => {
    await lab.create("a", { tags: global, timeoutAt: NOW + 10 });
    const failed = expect(lab.engine.failed).rejects.toThrow("i/o error");
    lab.store.beforeCommit = unknown;

    await lab.advance(10);

    await failed;
  });

  test("looking for due steps in a broken store fails the engine, and not the process", async () => {
    const failed = expect(lab.engine.failed).rejects.toThrow("cannot read");
    lab.store.due = () => Promise.reject(new Error("cannot read"));
    await lab.create("a", { tags: global, timeoutAt: NOW + 10 });

    await lab.advance(10);

    await failed;
  });
});

describe("closing", () => {
  test("waits for what was accepted and refuses what comes later", async () => {
    const asked = lab.askAll([create("a"), create("b")]);
    const closed = lab.engine.close();

    expect(statuses(await asked)).toEqual([200, 200]);
    await closed;
    expect(statuses(await lab.askAll([create("c")]))).toEqual([503]);
  });

  test("twice is once", async () => {
    await Promise.all([lab.engine.close(), lab.engine.close()]);
    await lab.engine.close();
  });

  test("tells the connections", async () => {
    const worker = lab.connect("g", "w");

    await lab.engine.close();

    expect([worker.closed, lab.engine.connections]).toEqual([true, 0]);
  });
});

test("where no more requests may wait, heartbeats may", async () => {
  const head = { corrId: "c", version: PROTOCOL_VERSION };
  const get: Request = { kind: "promise.get", head, data: { id: "a" } };
  const first = gate();
  lab.store.beforeCommit = () => first.wait();
  const asked = lab.engine.process([get]);
  await first.reached;
  const many = lab.engine.process(Array.from({ length: 100_000 }, () => get));

  const [refused] = await lab.engine.process([get]);
  const heartbeat = lab.ask("task.heartbeat", HEARTBEAT);
  lab.store.beforeCommit = () => {};
  first.open();

  expect(refused?.head.status).toBe(503);
  expect((await heartbeat).status).toBe(200);
  await Promise.all([asked, many]);
});

test("more requests than may wait are 503, and nothing of them is done", async () => {
  const head = { corrId: "c", version: PROTOCOL_VERSION };
  const requests = Array.from(
    { length: 100_001 },
    (): Request => ({ kind: "promise.get", head, data: { id: "a" } }),
  );
  const { begun } = lab.store;

  const answers = await lab.engine.process(requests);

  expect(new Set(answers.map((answer) => answer.head.status))).toEqual(new Set([503]));
  expect(lab.store.begun).toBe(begun);
});

describe("what falls due", () => {
  test("is done at its instant and not before, and the next one after it", async () => {
    for (const [id, ms] of [
      ["a", 10],
      ["b", 20],
      ["c", 30],
    ] as const) {
      await lab.create(id, { tags: global, timeoutAt: NOW + ms });
    }
    const due = async () => (await lab.store.due(NOW + 30, 10)).steps.length;
    const left = [await due()];
    for (const ms of [9, 1, 9, 1, 10]) {
      await lab.advance(ms);
      left.push(await due());
    }

    expect(left).toEqual([3, 3, 2, 2, 1, 0]);
  });

  test("is done in bounded commits, and all of it", async () => {
    const many = Array.from({ length: 2_500 }, (_, at) => ({
      kind: "promise.create",
      data: { id: `p${at}`, timeoutAt: NOW + 10, tags: global },
    }));
    await lab.askAll(many);

    await lab.advance(10);

    expect((await lab.store.due(NOW + 10, 1)).steps).toEqual([]);
  });

  test("more than an hour away is waited for", async () => {
    await lab.create("a", { tags: global, timeoutAt: NOW + 3_600_001 });

    await lab.advance(3_600_000);
    expect((await lab.store.due(NOW + 3_600_001, 1)).steps).toHaveLength(1);
    await lab.advance(1);

    expect((await lab.store.due(NOW + 3_600_001, 1)).steps).toHaveLength(0);
  });

  test("costs nothing while nothing is", async () => {
    await lab.create("a", { tags: global, timeoutAt: NOW + 500_000 });
    const { looks } = lab.store;

    await lab.advance(RETRY_MS);

    expect(lab.store.looks).toBe(looks);
  });
});
