import { TAG } from "@resonate-ts/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Promises } from "../../src/client/promises.ts";
import { Schedules } from "../../src/client/schedules.ts";
import { createCodec } from "../../src/codec/json-codec.ts";
import { ServerRefusedError } from "../../src/errors.ts";
import { EmbeddedNetwork } from "../../src/network/embedded.ts";

const LATER = 4_000_000_000_000;
const TARGET = "poll://any@nobody";

let network: EmbeddedNetwork;
let promises: Promises;
let schedules: Schedules;
beforeEach(() => {
  network = new EmbeddedNetwork({ group: "g", pid: "p" });
  promises = new Promises({ network, codec: createCodec() });
  schedules = new Schedules({ network });
});
afterEach(() => network.stop());

async function refusal(work: Promise<unknown>): Promise<ServerRefusedError> {
  const error: unknown = await work.catch((thrown) => thrown);
  if (error instanceof ServerRefusedError) return error;
  throw new Error("it was not refused");
}

describe("raw promises", () => {
  test("are created as given, without a tag of ours", async () => {
    const created = await promises.create("a", LATER, { headers: { h: "1" }, data: "x", tags: {} });

    expect(created).toMatchObject({
      id: "a",
      state: "pending",
      param: { headers: { h: "1" }, data: "x" },
      tags: {},
      timeoutAt: LATER,
    });
    expect(await promises.get("a")).toEqual(created);
  });

  test.each([
    ["resolve", "resolved"],
    ["reject", "rejected"],
    ["cancel", "rejected_canceled"],
  ] as const)("%s settles as %s, and the first settle wins", async (method, state) => {
    await promises.create("a", LATER);

    const settled = await promises[method]("a", { data: "v" });
    const again = await promises.resolve("a", { data: "w" });

    expect(settled).toMatchObject({ state, value: { data: "v" } });
    expect(again).toEqual(settled);
  });

  test("are created and claimed in one step", async () => {
    const { promise, task } = await promises.createWithTask("a", LATER, "me", 1_000, {
      tags: { [TAG.target]: TARGET },
    });

    expect(promise.id).toBe("a");
    expect(task).toMatchObject({ id: "a", state: "acquired", version: 1, pid: "me", ttl: 1_000 });
  });

  test("are awaited by tasks and listened to", async () => {
    await promises.create("task", LATER, { tags: { [TAG.target]: TARGET } });
    await promises.create("a", LATER, { tags: { [TAG.scope]: "global" } });

    expect((await promises.registerCallback("a", "task")).promise.id).toBe("a");
    expect((await promises.registerListener("a", network.unicast)).promise.id).toBe("a");
  });

  test("that do not exist are refused by kind, status and message", async () => {
    const error = await refusal(promises.get("nothing"));

    expect([error.status, error.requestKind]).toEqual([404, "promise.get"]);
    expect(error.message).toMatch(/404/);
  });

  test("are searched page by page", async () => {
    for (const id of ["a", "b", "c"]) await promises.create(id, LATER, { tags: { k: "v" } });
    await promises.create("other", LATER);

    const first = await promises.search({ tags: { k: "v" }, limit: 2 });
    const second = await promises.search({ tags: { k: "v" }, limit: 2, cursor: first.cursor });

    expect(first.promises.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(second.promises.map(({ id }) => id)).toEqual(["c"]);
    expect(second.cursor).toBeUndefined();
  });
});

describe("promises by value", () => {
  test("can be awaited by others, and carry what they were given", async () => {
    const at = new Date(7);

    const created = await promises.createValue("a", LATER, { param: { at }, tags: { k: "v" } });

    expect(created).toMatchObject({ param: { at }, value: undefined });
    expect(created.tags).toEqual({ [TAG.scope]: "global", k: "v" });
    expect((await promises.resolveValue("a", [1n])).value).toEqual([1n]);
    expect((await promises.getValue("a")).value).toEqual([1n]);
  });

  test("are rejected with errors that come back as errors", async () => {
    await promises.createValue("a", LATER);

    const { state, value } = await promises.rejectValue("a", new TypeError("no"));

    expect(state).toBe("rejected");
    expect(value).toBeInstanceOf(Error);
    expect(value).toMatchObject({ name: "TypeError", message: "no" });
  });

  test("are found over as many pages as there are", async () => {
    for (const id of ["a", "b", "c"]) await promises.createValue(id, LATER, { param: id });
    await promises.resolveValue("b");

    const found: unknown[] = [];
    for await (const { param } of promises.find({ state: "pending", limit: 1 })) found.push(param);

    expect(found).toEqual(["a", "c"]);
  });
});

describe("schedules", () => {
  test("are created, read, searched and deleted", async () => {
    const created = await schedules.create(
      "nightly",
      "0 0 * * *",
      "{{.id}}-{{.timestamp}}",
      60_000,
      {
        promiseHeaders: { h: "1" },
        promiseData: "x",
        promiseTags: { [TAG.target]: TARGET },
      },
    );

    expect(created).toMatchObject({
      id: "nightly",
      cron: "0 0 * * *",
      promiseTimeout: 60_000,
      promiseParam: { headers: { h: "1" }, data: "x" },
    });
    expect(await schedules.get("nightly")).toEqual(created);
    expect((await schedules.search()).schedules).toEqual([created]);
    await schedules.delete("nightly");
    expect((await refusal(schedules.get("nightly"))).status).toBe(404);
  });

  test("with a cron that cannot be read are refused", async () => {
    const tags = { promiseTags: { [TAG.target]: TARGET } };

    expect((await refusal(schedules.create("s", "every day", "p", 1, tags))).status).toBe(400);
  });
});
