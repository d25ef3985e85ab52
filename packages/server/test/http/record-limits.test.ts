/** The limits of what is created, as they are set. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type RunningServer, serve } from "../../src/serve.ts";
import { readSettings } from "../../src/settings.ts";
import { ask, silent } from "./harness.ts";

let folder: string;
let server: RunningServer | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "resonate-limits-"));
});
afterEach(async () => {
  await server?.close();
  rmSync(folder, { recursive: true });
});

async function start(limits: Readonly<Record<string, string>>): Promise<void> {
  await server?.close();
  const flags = { "server.port": "0", "storage.sqlite.path": join(folder, "test.db"), ...limits };
  server = await serve(readSettings({ flags }), { logger: silent });
}

async function post(kind: string, data: unknown) {
  if (!server) throw new Error("there is no server");
  const body = JSON.stringify({ kind, head: { corrId: "c", version: "2026-04-01" }, data });
  const { status, text } = await ask(server, { body });
  return { status, data: JSON.parse(text).data };
}

const timeoutAt = 2 ** 50;
const target = { "resonate:target": "poll://any@g" };
const create = (id: string, tags = {}) => ({ id, timeoutAt, tags });
const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`tag${at}`, ""]));

const ID = "i".repeat(300);
const LONGER = `${ID}i`;

test.each([
  ["promise.create", create(ID), create(LONGER), "id"],
  [
    "task.create",
    { pid: "p", ttl: 1, action: { kind: "promise.create", data: create(ID, target) } },
    { pid: "p", ttl: 1, action: { kind: "promise.create", data: create(LONGER, target) } },
    "action.data.id",
  ],
  ["promise.create", create("a", { t: ID }), create("a", { t: LONGER }), "tags.t"],
  ["promise.create", create("b", many(20)), create("b", many(21)), "tags"],
  [
    "schedule.create",
    { id: "s", cron: "* * * * *", promiseId: ID, promiseTimeout: 1, promiseTags: target },
    { id: "s", cron: "* * * * *", promiseId: LONGER, promiseTimeout: 1, promiseTags: target },
    "promiseId",
  ],
])(
  "%s: the last that is allowed is taken, and the next is refused",
  async (kind, last, next, field) => {
    await start({ "limits.id_bytes": "300", "limits.tag_bytes": "300", "limits.tags": "20" });

    const refused = await post(kind, next);

    expect(refused).toEqual({
      status: 400,
      data: expect.stringMatching(
        new RegExp(`^Invalid request: ${field}: .*(300 bytes|20 entries)`),
      ),
    });
    expect(await post(kind, last)).toMatchObject({ status: 200 });
  },
);

test("limits can be higher than they are by default, up to what every store holds", async () => {
  await start({ "limits.id_bytes": "2048", "limits.tag_bytes": "65536", "limits.tags": "1024" });
  const id = "é".repeat(1_024);
  const tags = { ...many(1_022), long: "x".repeat(65_536), other: "" };

  expect(await post("promise.create", create(id, tags))).toMatchObject({ status: 200 });

  expect((await post("promise.get", { id })).data.promise.tags).toEqual(tags);
  const found = await post("promise.search", { idPrefix: id, tags: { other: "" }, limit: 1 });
  expect(found.data.promises).toHaveLength(1);
  expect(await post("promise.create", create(`${id}x`))).toMatchObject({ status: 400 });
});

test("what is there is read and ended when the limits are lower than they were", async () => {
  const id = "i".repeat(1_000);
  await start({});
  await post("promise.create", create(id, { ...many(60), "resonate:scope": "global" }));

  await start({ "limits.id_bytes": "256", "limits.tags": "16", "limits.tag_bytes": "256" });

  expect(await post("promise.get", { id })).toMatchObject({ status: 200 });
  expect(await post("promise.settle", { id, state: "resolved" })).toMatchObject({ status: 200 });
  expect((await post("promise.search", { tags: many(60) })).data.promises).toHaveLength(1);
});
