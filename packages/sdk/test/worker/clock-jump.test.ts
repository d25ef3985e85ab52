import { spawn } from "node:child_process";
import { once } from "node:events";
import { readSettings, serve } from "@resonate-ts/server";
import { expect, test } from "vitest";
import { Resonate, silentLogger } from "../../src/index.ts";

const HOUR_MS = 3_600_000;

test.each([HOUR_MS, -HOUR_MS, 48 * HOUR_MS, -48 * HOUR_MS])(
  "a wall clock that is set by %d ms in the middle of a workflow decides nothing: neither leases, nor sleeps, nor retries",
  async (jumpMs) => {
    const flags = { "server.port": "0", "storage.type": "memory", level: "error" };
    const server = await serve(readSettings({ flags }));
    const program = new URL("./jumping-program.ts", import.meta.url).pathname;
    const worker = spawn(process.execPath, ["--import", "tsx", program, server.url], {
      stdio: "inherit",
    });
    const client = new Resonate({ url: server.url, group: "clients", logger: silentLogger });
    try {
      const [entered, slept, attempts] = await client.rpc<number[]>("w", "fn", jumpMs);

      expect([entered, attempts]).toEqual([1, 3]);
      // Two seconds; two clocks are told apart to about one, and a busy machine takes its time.
      expect(slept).toBeGreaterThanOrEqual(1_000);
      expect(slept).toBeLessThan(15_000);
    } finally {
      worker.kill("SIGKILL");
      await once(worker, "exit");
      await client.stop();
      await server.close();
    }
  },
);
