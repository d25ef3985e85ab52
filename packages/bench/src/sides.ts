/** Who is measured: each gives a way to run one of the functions, and says what it makes durable and when. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resonate, silentLogger } from "@resonate-ts/sdk";
import { Resonate as OfficialResonate } from "@resonatehq/sdk";
import { functions, type Workload } from "./workloads.ts";

export interface Side {
  readonly title: string;
  readonly durable: string;
  /** Gets ready; gives how to run a function once, and how to clean up. */
  open(): Promise<Running>;
}

interface Running {
  run(id: string, fn: Workload["fn"], count: number): Promise<unknown>;
  close(): Promise<void>;
}

export const SIDES = {
  official: {
    title: "official SDK, in memory",
    durable: "nothing",
    async open() {
      const resonate = new OfficialResonate();
      // Its types and ours describe the same functions in different words.
      for (const [name, fn] of Object.entries(functions)) resonate.register(name, fn as never);
      return {
        run: (id, fn, count) => resonate.run(id, fn, count),
        close: () => resonate.stop(),
      };
    },
  },
  memory: {
    title: "ours, in memory",
    durable: "nothing",
    open: async () => ours(new Resonate({ logger: silentLogger })),
  },
  file: {
    title: "ours, in a file",
    durable: "every step, on the disk before it is answered",
    async open() {
      const folder = temporaryFolder();
      const running = ours(new Resonate({ path: join(folder, "app.db"), logger: silentLogger }));
      return { ...running, close: () => running.close().finally(() => remove(folder)) };
    },
  },
  server: {
    title: "ours, a server on SQLite",
    durable: "every step, on the disk before it is answered",
    async open() {
      const folder = temporaryFolder();
      const program = new URL("./server-process.ts", import.meta.url);
      const server = fork(program, [join(folder, "server.db")], { execArgv: ["--import", "tsx"] });
      const [url] = (await once(server, "message")) as [string];
      const running = ours(
        new Resonate({ url, group: "bench", defaultTarget: "bench", logger: silentLogger }),
      );
      return {
        ...running,
        async close() {
          await running.close();
          server.disconnect();
          await once(server, "exit");
          remove(folder);
        },
      };
    },
  },
} as const satisfies Readonly<Record<string, Side>>;

function ours(resonate: Resonate): Running {
  // The functions are written for either SDK, so their context is not ours by type.
  for (const [name, fn] of Object.entries(functions)) resonate.register(name, fn as never);
  return {
    run: (id, fn, count) => resonate.run(id, fn, count),
    close: () => resonate.stop(),
  };
}

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "resonate-bench-"));
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
