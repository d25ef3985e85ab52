import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEngine } from "@resonate-ts/server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resonate } from "./command.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "resonate-backups-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

test("a database in use is copied, and the copy becomes a database", async () => {
  const engine = await openEngine({ path: join(cwd, "a.db") });
  const head = { corrId: "c", version: "2026-04-01" } as const;
  const data = { id: "p", timeoutAt: 8e15, param: {}, tags: {} };
  await engine.process([{ kind: "promise.create", head, data }]);

  const copied = await resonate(["backup", "a.db", "copy.db"], { cwd });
  const again = await resonate(["backup", "a.db", "copy.db"], { cwd });
  const over = await resonate(["restore", "copy.db", "a.db"], { cwd });
  const restored = await resonate(["restore", "copy.db", "b.db"], { cwd });
  await engine.close();

  expect([copied.code, copied.out]).toEqual([0, "'copy.db' holds one promise of 'a.db'.\n"]);
  expect([again.code, again.err]).toEqual([2, expect.stringContaining("is there already")]);
  expect([over.code, over.err]).toEqual([2, expect.stringContaining(`process ${process.pid}`)]);
  expect([restored.code, restored.out]).toEqual([0, expect.stringContaining("'b.db' holds")]);
});
