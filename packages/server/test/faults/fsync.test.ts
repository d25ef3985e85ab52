import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Random } from "../differential/random.ts";
import { rounds, SEED } from "./seed.ts";
import { ServerProcess } from "./server-process.ts";
import { hasStrace } from "./strace.ts";

/** The first sync that fails: so many different ones are tried, of the first `SYNC_MAX`. */
const ROUNDS = rounds(4);
const SYNC_MAX = 60;
/** Requests after which a sync must have failed. */
const REQUESTS_MAX = 4 * SYNC_MAX;

/** A parameter of 256 pages, and more of them than the log takes before it is moved. */
const LARGE = "x".repeat(1_048_576);
const LARGE_MAX = 64;

const strace = hasStrace();

let folder: string;
let path: string;
let server: ServerProcess | undefined;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "resonate-fsync-"));
  path = join(folder, "resonate.db");
  await (await ServerProcess.start(path)).kill("SIGTERM");
});
afterEach(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true });
});

const random = new Random(SEED);
const syncs = Array.from({ length: ROUNDS }, (_, at) =>
  ROUNDS >= SYNC_MAX
    ? at + 1
    : 1 + Math.floor((at + random.below(1_000) / 1_000) * (SYNC_MAX / ROUNDS)),
);

test.skipIf(!strace).each(syncs)(
  `when sync %d and all after it fail, no write is acknowledged, the server ends, and the next one reads a prefix (SEED=${SEED})`,
  async (sync) => {
    const inject = `inject=fdatasync,fsync:error=EIO:when=${sync}+`;
    const words = [
      "strace",
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      "trace=fdatasync,fsync",
      "-e",
      inject,
    ];
    const acknowledged: string[] = [];
    const asked: string[] = [];
    const begun = await ServerProcess.start(path, words).catch(() => undefined);
    server = begun;
    if (begun) {
      const ask = async (id: string) => {
        asked.push(id);
        const data = { id, timeoutAt: 8e15, param: { data: id }, tags: {} };
        return begun.ask("promise.create", data);
      };
      let answer = await ask("p0");
      while (answer.status === 200 && asked.length < REQUESTS_MAX) {
        acknowledged.push(asked.at(-1) ?? "");
        answer = await ask(`p${asked.length}`);
      }
      expect(asked.length).toBeLessThan(REQUESTS_MAX); // The sync that fails was reached.
      const failedAt = performance.now();
      expect([0, 500, 503]).toContain(answer.status);
      while (begun.running && performance.now() - failedAt < 1_000) {
        expect([0, 500, 503]).toContain((await ask(`p${asked.length}`)).status);
      }
      await begun.ended();
      expect(performance.now() - failedAt).toBeLessThan(1_500);
      expect(begun.exitCode).not.toBe(0);
    }

    const next = await ServerProcess.start(path);
    server = next;
    const gets = asked.map((id) => ({ kind: "promise.get", data: { id } }));
    const there = (await next.askAll(gets)).map(({ status }) => status === 200);
    const prefix = there.indexOf(false) === -1 ? there.length : there.indexOf(false);

    expect(prefix).toBeGreaterThanOrEqual(acknowledged.length);
    // The one that was under way may be there; nothing is that came after it.
    expect(prefix).toBeLessThanOrEqual(acknowledged.length + 1);
    expect(there.slice(prefix)).not.toContain(true);
  },
  60_000,
);

test.skipIf(!strace)(
  "when a sync of the database fails behind the commits' back, the server ends",
  async () => {
    // Syncs of the log do not fail: only whoever moves it into the database sees the error.
    const inject = "inject=fdatasync,fsync:error=EIO";
    const traced = ["-e", "trace=fdatasync,fsync", "-e", inject, "-P", path];
    server = await ServerProcess.start(path, ["strace", "-f", "-qq", "-o", "/dev/null", ...traced]);
    const written: string[] = [];

    let status = 200;
    for (let at = 0; status === 200 && at < LARGE_MAX; at++) {
      const data = { id: `p${at}`, timeoutAt: 8e15, param: { data: LARGE }, tags: {} };
      ({ status } = await server.ask("promise.create", data));
      if (status === 200) written.push(data.id);
    }
    expect([0, 500]).toContain(status);
    await server.ended();
    expect(server.exitCode).not.toBe(0);

    server = await ServerProcess.start(path);
    for (const id of written) expect((await server.ask("promise.get", { id })).status).toBe(200);
  },
  60_000,
);
