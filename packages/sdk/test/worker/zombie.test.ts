import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { readSettings, serve } from "@resonate-ts/server";
import { expect, test } from "vitest";
import { Resonate, silentLogger } from "../../src/index.ts";

test("a process that was stopped past its lease finds its work taken, fires its signal and changes nothing", async () => {
  const flags = { "server.port": "0", "storage.type": "memory", level: "error" };
  const server = await serve(readSettings({ flags }));
  const program = new URL("./held-program.ts", import.meta.url).pathname;
  const zombie = spawn(process.execPath, ["--import", "tsx", program, server.url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: zombie.stdout })[Symbol.asyncIterator]();
  const client = new Resonate({ url: server.url, group: "clients", logger: silentLogger });
  const other = new Resonate({ url: server.url, logger: silentLogger });
  try {
    const handle = await client.beginRpc("w", "fn");
    expect((await lines.next()).value).toBe("running");
    zombie.kill("SIGSTOP");

    other.register("fn", () => "the other's");
    expect(await handle.result()).toBe("the other's");
    zombie.kill("SIGCONT");

    expect((await lines.next()).value).toBe("LEASE_LOST");
    expect((await client.promises.getValue("w")).value).toBe("the other's");
  } finally {
    zombie.kill("SIGKILL");
    await once(zombie, "exit");
    await client.stop();
    await other.stop();
    await server.close();
  }
});
