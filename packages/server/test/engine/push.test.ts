import type { Message } from "@resonate-ts/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { global, Lab, NOW, RETRY_MS, SERVER_URL } from "../support/lab.ts";

const URL = "https://worker.test/run";
const pushed = { tags: { "resonate:target": URL } };

/** A transport that keeps what it is given, and takes it or not. */
class FakePusher {
  readonly sent: string[] = [];
  readonly messages: Message[] = [];
  takes: () => boolean | Promise<boolean> = () => true;
  closed = 0;

  async push(url: string, message: Message): Promise<boolean> {
    this.messages.push(message);
    const { kind, data } = message;
    this.sent.push(`${kind} ${"task" in data ? data.task.id : data.promise.id} ${url}`);
    return this.takes();
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

let lab: Lab;
let push: FakePusher;
beforeEach(async () => {
  push = new FakePusher();
  lab = await Lab.open({ push, store: "file", restartGraceMs: 5_000 });
});
afterEach(() => lab.close());

describe("a task whose target is a URL", () => {
  test("is pushed with the address to call back", async () => {
    await lab.create("a", pushed);

    expect(push.messages).toEqual([
      { kind: "execute", head: { serverUrl: SERVER_URL }, data: { task: { id: "a", version: 0 } } },
    ]);
  });

  test("is pushed again at each retry time-out as long as nobody claims it, however old it is", async () => {
    await lab.create("a", { ...pushed, timeoutAt: NOW + 10 ** 9 });

    await lab.advance(RETRY_MS - 1);
    expect(push.sent).toHaveLength(1);
    await lab.advance(1 + 4 * RETRY_MS);
    expect(push.sent).toHaveLength(6);
    await lab.ok("task.acquire", { id: "a", version: 0, pid: "lambda", ttl: 600_000 });
    await lab.advance(4 * RETRY_MS);

    expect(push.sent).toHaveLength(6);
  });

  test("keeps the claim of its holder through a restart, though it has no stream", async () => {
    await lab.create("a", pushed);
    await lab.ok("task.acquire", { id: "a", version: 0, pid: "lambda", ttl: 60_000 });

    await lab.restart();
    await lab.advance(59_000);

    expect(await lab.task("a")).toMatchObject({ state: "acquired", pid: "lambda" });
  });

  test("is pushed after a restart when its offer is due", async () => {
    await lab.create("a", pushed);
    await lab.restart();

    await lab.advance(RETRY_MS);

    expect(push.sent).toHaveLength(2);
  });
});

describe("a listener that is a URL", () => {
  beforeEach(async () => {
    await lab.create("p", { tags: global });
    await lab.ok("promise.register_listener", { awaited: "p", address: URL });
  });

  test("is told once, and that is the end of it", async () => {
    await lab.resolve("p");
    await lab.advance(2 * RETRY_MS);

    expect(push.messages).toMatchObject([
      { kind: "unblock", data: { promise: { id: "p", state: "resolved" } } },
    ]);
    expect(await lab.store.due(NOW + 10 ** 9, 10)).toEqual({ steps: [] });
  });

  test("is told again until it takes it", async () => {
    push.takes = () => lab.now >= NOW + 3_000;
    await lab.resolve("p");

    await lab.advance(10_000);

    expect(push.sent).toHaveLength(4);
    expect(await lab.store.due(NOW + 10 ** 9, 10)).toEqual({ steps: [] });
  });

  test("keeps its notice until it has been told, not only tried", async () => {
    push.takes = () => new Promise(() => {});
    await lab.resolve("p");
    await lab.advance(100);

    expect((await lab.store.due(NOW + 10 ** 9, 10)).steps).toHaveLength(1);
  });
});

test("the engine closes it", async () => {
  await lab.engine.close();

  expect(push.closed).toBe(1);
});
