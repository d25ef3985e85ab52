import { expect, test } from "vitest";
import { global, NOW, onEveryStore, targeted } from "../support/lab.ts";

const STRANGE = [
  "../../etc/passwd",
  "%00",
  "a\r\nSet-Cookie: x",
  "\u001b[31mred",
  "\u202egnp.exe",
  "'; DROP TABLE promises; --",
  "%_",
  "🦊🦊",
  "é", // Composed,
  "e\u0301", // and not: two ids.
  "constructor",
  "__proto__",
  " ",
  "\u00a0",
  "\ufffd",
  "x".repeat(1_024),
];

onEveryStore("strange text", (lab) => {
  test("in ids is kept as it is, and no two are taken for one", async () => {
    for (const [at, id] of STRANGE.entries()) await lab().create(id, { tags: { at: String(at) } });

    for (const [at, id] of STRANGE.entries()) {
      expect(await lab().promise(id)).toMatchObject({ id, tags: { at: String(at) } });
    }
    expect((await lab().ok("promise.search", {})).promises).toHaveLength(STRANGE.length);
  });

  test("in tags, params, values, pids and addresses is kept as it is", async () => {
    for (const [at, text] of STRANGE.entries()) {
      const id = `p${at}`;
      const value = { headers: { h: text }, data: text };
      const data = { id, timeoutAt: NOW + 1_000, param: value, tags: { ...targeted, tag: text } };
      const { task, promise } = await lab().ok("task.create", {
        pid: text,
        ttl: 100,
        action: { kind: "promise.create", data },
      });
      const settled = await lab().ok("promise.settle", { id, state: "rejected", value });

      expect([task.pid, promise.tags.tag, promise.param]).toEqual([text, text, value]);
      expect(settled.promise.value).toEqual(value);
      expect(await lab().promise(id)).toEqual(settled.promise);
    }
  });

  test("in a search is compared, never matched as a pattern", async () => {
    await lab().create("a", { tags: { tag: "%" } });
    await lab().create("b", { tags: { tag: "anything" } });

    const { promises } = await lab().ok("promise.search", { tags: { tag: "%" } });

    expect(promises.map(({ id }: { id: string }) => id)).toEqual(["a"]);
  });

  test("that is no text (half a surrogate pair) is refused in what names something", async () => {
    const half = "a\ud800";
    await lab().create("p", { tags: global });

    const answers = await lab().askAll([
      { kind: "promise.create", data: { id: half, timeoutAt: NOW + 1 } },
      { kind: "promise.get", data: { id: half } },
      { kind: "task.acquire", data: { id: "p", version: 0, pid: half, ttl: 1 } },
      {
        kind: "promise.register_listener",
        data: { awaited: "p", address: `poll://any@${half}` },
      },
    ]);

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  });

  test("that is no text is kept as it is in what names nothing", async () => {
    const param = { data: "a\ud800", headers: { h: "\udfff" } };

    expect((await lab().create("p", { param, tags: { tag: "\ud800" } })).param).toEqual(param);
    expect(await lab().promise("p")).toMatchObject({ param, tags: { tag: "\ud800" } });
  });

  test("a forged lineage cannot enter another's tree by search", async () => {
    await lab().create("victim", { tags: { "resonate:origin": "victim" } });
    const forged = await lab().ask("promise.create", {
      id: "intruder",
      timeoutAt: NOW + 1,
      tags: { "resonate:origin": "victim" },
    });

    expect(forged.status).toBe(400);
  });
});
