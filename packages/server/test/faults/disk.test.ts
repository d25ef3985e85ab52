import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Disk } from "./disk.ts";
import { ServerProcess } from "./server-process.ts";

const allowed = Disk.allowed();
const DISK_MB = 64;

describe.skipIf(!allowed)("a disk", () => {
  let disk: Disk;
  let path: string;
  let server: ServerProcess | undefined;
  beforeEach(() => {
    disk = new Disk(DISK_MB);
    path = join(disk.path, "resonate.db");
  });
  afterEach(async () => {
    await server?.kill();
    server = undefined;
    disk.free();
  });

  const create = (id: string) => ({
    id,
    timeoutAt: 8e15,
    param: { data: "x".repeat(50_000) },
    tags: {},
  });

  test("that is full: 503 and why, reads and /health are answered, /ready is 503, all is well when there is space", async () => {
    const running = await ServerProcess.start(path);
    server = running;
    disk.fill(DISK_MB, 8);
    const kept: string[] = [];
    let refused = { status: 200, data: "" };
    for (let at = 0; refused.status === 200 && at < 1_000; at++) {
      refused = await running.ask("promise.create", create(`p${at}`));
      if (refused.status === 200) kept.push(`p${at}`);
    }
    const gets = (ids: readonly string[]) =>
      ids.map((id) => ({ kind: "promise.get", data: { id } }));

    expect([refused.status, refused.data]).toEqual([
      503,
      expect.stringContaining("the disk is full"),
    ]);
    for (let second = 0; second < 3; second++) {
      const read = await running.ask("promise.get", { id: kept[0] });
      expect([read.status, await running.status("/health")]).toEqual([200, 200]);
      expect(await running.status("/ready")).toBe(503);
      await sleep(700); // The floor of the clock asks for a write every second, in vain.
    }
    disk.clear();
    const freedAt = performance.now();
    while ((await running.status("/ready")) !== 200) await sleep(50);
    expect(performance.now() - freedAt).toBeLessThan(5_000);
    expect((await running.ask("promise.create", create("after"))).status).toBe(200);

    await running.kill();
    server = await ServerProcess.start(path);
    const answers = await server.askAll(gets([...kept, "after"].slice(-40)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(kept.length).toBeGreaterThan(50);
  }, 60_000);

  test("that cannot be written: the server does not start, exits with 2 and says which file", async () => {
    server = await ServerProcess.start(path);
    await server.kill("SIGTERM");
    disk.readOnly();

    const { code, said } = await ServerProcess.refused(path);

    expect([code, said]).toEqual([2, expect.stringContaining(path)]);
  });

  test("with a database that another server has: the second does not start, exits with 2 and says whose it is", async () => {
    server = await ServerProcess.start(path);

    const { code, said } = await ServerProcess.refused(path);

    expect([code, said]).toEqual([2, expect.stringMatching(/is in use by process \d+/)]);
    expect(await server.status("/ready")).toBe(200);
  });
});
