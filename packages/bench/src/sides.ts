/** Who is measured: each gives a way to run one of the functions, and says what it makes durable and when. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Resonate } from "@resonate-ts/sdk";
import { Resonate as OfficialResonate } from "@resonatehq/sdk";
import { connect } from "./connect.ts";
import { openDisk, openPost, openSqlite } from "./limits.ts";
import { remove, temporaryFolder } from "./temporary-folder.ts";
import { functions, type Run } from "./workloads.ts";

export interface Side {
  readonly title: string;
  readonly durable: string;
  /** The workloads that it has a meaning for, by the start of their names; without it all. */
  readonly only?: readonly string[];
  /** Gets ready, with so many processes that do the work. */
  open(workers: number): Promise<Running>;
}

export interface Running {
  readonly run: Run;
  /** Most memory that its server has taken, in KiB; absent without one. */
  serverMemory?(): Promise<number>;
  close(): Promise<void>;
}

const EVERY_STEP = "every step, on the disk before it is answered";

export const SIDES: Readonly<Record<string, Side>> = {
  disk: {
    title: "limit: append 4 KiB, fdatasync",
    durable: "each append",
    only: ["steps"],
    open: openDisk,
  },
  sqlite: {
    title: "limit: one row each, SQLite, 1,000 a commit",
    durable: "each group",
    only: ["fan-out", "local-fan-out"],
    open: openSqlite,
  },
  post: {
    title: "limit: one POST and one commit each, bare",
    durable: "each POST, before it is answered",
    only: ["steps", "hops", "small"],
    open: openPost,
  },
  official: {
    title: "official SDK, in memory",
    durable: "nothing",
    async open() {
      const resonate = new OfficialResonate({ logLevel: "error" });
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
    open: async () => ours(connect({})),
  },
  file: {
    title: "ours, in a file",
    durable: EVERY_STEP,
    async open() {
      const folder = temporaryFolder();
      const running = ours(connect({ path: join(folder, "app.db") }));
      return { ...running, close: () => running.close().finally(() => remove(folder)) };
    },
  },
  server: {
    title: "ours, a server on SQLite",
    durable: EVERY_STEP,
    open: openServer,
  },
};

/** A server, this process as its first worker, and other processes as the others. */
async function openServer(workers: number): Promise<Running> {
  const folder = temporaryFolder();
  const server = spawn("./server-process.ts", join(folder, "server.db"));
  const [url] = (await once(server, "message")) as [string];
  const others = Array.from({ length: workers - 1 }, () => spawn("./worker-process.ts", url));
  await Promise.all(others.map((other) => once(other, "message")));
  const running = ours(connect({ url }));
  return {
    ...running,
    async serverMemory() {
      server.send("how are you?");
      const [memory] = (await once(server, "message")) as [number];
      return memory;
    },
    async close() {
      await running.close();
      for (const process of [...others, server]) {
        process.disconnect();
        await once(process, "exit");
      }
      remove(folder);
    },
  };
}

function spawn(program: string, argument: string): ChildProcess {
  return fork(new URL(program, import.meta.url), [argument], { execArgv: [] });
}

function ours(resonate: Resonate): Running {
  return {
    run: (id, fn, count) => resonate.run(id, fn, count),
    close: () => resonate.stop(),
  };
}
