/** A worker process that is told to end with much in hand. */
import { setTimeout as wait } from "node:timers/promises";
import { Resonate, silentLogger } from "@resonate-ts/sdk";
import { readSettings, serve } from "@resonate-ts/server";
import { afterEach, expect, test } from "vitest";
import { Program, stopPrograms } from "../../scripts/demo/program.ts";

const JOBS = 500;
/** A lease lasts for a minute: within this, nobody has waited for one to run out. */
const AT_ONCE_MS = 10_000;

afterEach(stopPrograms);

test("SIGTERM with 500 jobs running gives them back: others finish them at once, and the exit code is 0", async () => {
  const flags = { "server.port": "0", "storage.type": "memory", level: "error" };
  const server = await serve(readSettings({ flags }));
  const logger = silentLogger;
  const client = new Resonate({ url: server.url, group: "clients", defaultTarget: "jobs", logger });
  const start = (...args: readonly string[]) =>
    new Program({
      entry: "tests/end-to-end/sigterm-worker.ts",
      args,
      env: { RESONATE_URL: server.url },
    });
  const ids = Array.from({ length: JOBS }, (_, n) => `job-${n}`);
  try {
    const slow = start();
    const results = ids.map((id) => client.rpc<string>(id, "job"));
    await running(client);
    start("--quick");
    // The first worker has no end of it: whoever answers is the second one, and is there.
    const probe = client.options({ target: "poll://uni@jobs/quick" });
    expect(await client.rpc("probe", "job", probe)).toBe("probe");

    const before = performance.now();
    slow.kill("SIGTERM");

    expect(await slow.exited).toBe(0);
    expect(performance.now() - before).toBeLessThan(AT_ONCE_MS);
    expect(await Promise.all(results)).toEqual(ids);
    expect(performance.now() - before).toBeLessThan(2 * AT_ONCE_MS);
  } finally {
    await client.stop();
    await server.close();
  }
});

/** Resolves when all jobs are held. */
async function running(client: Resonate): Promise<void> {
  for (;;) {
    const { tasks } = await client.tasks.search({ state: "acquired", limit: JOBS });
    if (tasks.length === JOBS) return;
    await wait(50);
  }
}
