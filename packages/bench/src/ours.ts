/** Our sides, and the official SDK. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Resonate } from "@resonate-ts/sdk";
import { Resonate as OfficialResonate } from "@resonatehq/sdk";
import { Pool } from "undici";
import { client, connect, type Place } from "./connect.ts";
import { programs } from "./programs.ts";
import type { CrashSite, CrashTest, Effort, Running, Side, Surroundings } from "./running.ts";
import { settlingMany } from "./server/requests.ts";
import type { ServerState } from "./server-process.ts";
import { remove, temporaryFolder } from "./temporary-folder.ts";

/** Promises that are stored by one request: created and settled, so twice as many entries of a batch. */
const FILLED_AT_ONCE = 400;

export const official: Side = {
  async open() {
    const resonate = new OfficialResonate({ logLevel: "error" });
    for (const [name, fn] of Object.entries(programs)) resonate.register(name, fn);
    return {
      run: (id, program, count) => resonate.run(id, program, count),
      close: () => resonate.stop(),
    };
  },
};

export const memory: Side = { open: async () => ours(connect({})) };

export const file: Side = {
  async open() {
    const folder = temporaryFolder();
    const running = ours(connect({ path: join(folder, "app.db") }));
    return { ...running, close: () => running.close().finally(() => remove(folder)) };
  },
  async crash(test) {
    const folder = temporaryFolder();
    const place = { path: join(folder, "app.db") };
    return { ...crashSite(place, test), close: async () => remove(folder) };
  },
};

/** A server; on SQLite, or on the database of its surroundings. */
export const server: Side = {
  /** This process is the first worker, and other processes are the others. */
  async open(workers, surroundings) {
    const server = await startServer(surroundings);
    const { url } = server;
    const others = Array.from({ length: workers - 1 }, () => spawn("./worker-process.ts", url));
    await Promise.all(others.map((other) => once(other, "message")));
    const running = ours(connect({ url }));
    return {
      ...running,
      serverMemory: async () => (await server.state()).memory,
      fill: (count) => fill(url, count),
      effort: () => effortOf(server, surroundings),
      async close() {
        await running.close();
        for (const other of others) await letGo(other);
        await server.close();
      },
    };
  },
  async crash(test) {
    const server = await startServer(test);
    return { ...crashSite({ url: server.url }, test), close: () => server.close() };
  },
};

interface RunningServer {
  readonly url: string;
  state(): Promise<ServerState>;
  close(): Promise<void>;
}

async function startServer({ database }: Surroundings): Promise<RunningServer> {
  const folder = temporaryFolder();
  const child = spawn("./server-process.ts", database?.url ?? join(folder, "server.db"));
  const [url] = (await once(child, "message")) as [string]; // What `server-process.ts` sends first.
  return {
    url,
    async state() {
      child.send("how are you?");
      const [state] = (await once(child, "message")) as [ServerState]; // What it answers.
      return state;
    },
    async close() {
      await letGo(child);
      remove(folder);
    },
  };
}

function spawn(program: string, argument: string): ChildProcess {
  return fork(new URL(program, import.meta.url), [argument], { execArgv: [] });
}

async function letGo(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.disconnect();
  await exited;
}

function ours(resonate: Resonate): Running {
  return {
    run: (id, program, count) => resonate.run(id, program, count),
    close: () => resonate.stop(),
  };
}

async function fill(url: string, count: number): Promise<void> {
  const pool = new Pool(url);
  for (let stored = 0; stored < count; stored += FILLED_AT_ONCE) {
    const body = settlingMany(Math.min(FILLED_AT_ONCE, count - stored));
    const headers = { "Content-Type": "application/json" };
    const answer = await pool.request({ method: "POST", path: "/", headers, body });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}: ${text}`);
  }
  await pool.close();
}

/** Statements are counted in the process, or where PostgreSQL writes them down. */
async function effortOf(server: RunningServer, { database }: Surroundings): Promise<Effort> {
  const { processorMs, statements } = await server.state();
  if (database?.log === undefined) return { processorMs, statements };
  const asked = readFileSync(database.log, "utf8").match(/LOG: {2}(?:statement|execute)/g);
  return { processorMs, statements: asked?.length ?? 0 };
}

/** The worker asks for the workflow itself, each time it starts: the first time that starts it, then it joins it. */
function crashSite(place: Place, test: CrashTest): Omit<CrashSite, "close"> {
  const { promise: done, resolve } = Promise.withResolvers<unknown>();
  return {
    done,
    work() {
      const worker = spawn("./crash-worker.ts", JSON.stringify({ place, test }));
      worker.once("message", resolve);
      return worker;
    },
    async recorded(at) {
      const resonate = client(place);
      const children = new Set<string>();
      for await (const { id, settledAt } of resonate.promises.find({ state: "resolved" })) {
        if (settledAt !== undefined && settledAt < at) children.add(id);
      }
      await resonate.stop();
      return children;
    },
  };
}
