/** Restate: its server from npm with its defaults, on loopback, in a folder of its own. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { connect, type Ingress } from "@restatedev/restate-sdk-clients";
import { freePort } from "../src/free-port.ts";
import { report } from "../src/measuring.ts";
import type { ProgramName } from "../src/programs.ts";
import type { CrashTest, Side } from "../src/running.ts";
import { remove, temporaryFolder } from "../src/temporary-folder.ts";
import { type Bench, type Hops, serve } from "./restate-services.ts";

const START_MS_MAX = 60_000;

export const restate: Side = {
  /** This process is the first worker, and other processes are the others. */
  async open(workers) {
    const server = await startServer();
    const endpoint = await serve(workers === 1 ? "all" : 0);
    const others = Array.from({ length: workers - 1 }, (_, at) => spawnWorker(at + 1));
    const ports = await Promise.all(others.map(portOf));
    for (const port of [endpoint.port, ...ports]) await server.register(port);
    return {
      run: (_, program, count) => call(server.ingress, program, count),
      serverMemory: async () => server.memory(),
      async close() {
        for (const other of others) await letGo(other);
        endpoint.close();
        await server.close();
      },
    };
  },

  async crash({ children, log }: CrashTest) {
    const server = await startServer();
    const port = await freePort();
    const { promise: first, resolve: started } = Promise.withResolvers<ChildProcess>();
    const ask = async () => {
      await portOf(await first);
      await server.register(port);
      const bench = server.ingress.serviceClient<Bench>({ name: "bench" });
      return await bench.slowFanOut([children, log]);
    };
    return {
      done: ask(),
      /** The one after the kill is at the same address, where Restate looks for it. */
      work() {
        const worker = spawnWorker("all", port);
        started(worker);
        return worker;
      },
      close: () => server.close(),
    };
  },
};

async function call(ingress: Ingress, program: ProgramName, count: number): Promise<number> {
  const bench = ingress.serviceClient<Bench>({ name: "bench" });
  switch (program) {
    case "steps":
    case "fanOut":
    case "localFanOut":
      return await bench[program](count);
    case "hops":
      return await ingress.serviceClient<Hops>({ name: "hops0" }).hop(count);
    case "one":
    case "slow":
    case "slowFanOut":
      throw new Error(`nobody asks Restate for ${program} from outside`);
  }
}

interface Server {
  readonly ingress: Ingress;
  register(port: number): Promise<void>;
  memory(): number | undefined;
  close(): Promise<void>;
}

async function startServer(): Promise<Server> {
  const folder = temporaryFolder();
  const [node, ingress, admin] = [await freePort(), await freePort(), await freePort()];
  const server = spawn(binary(), ["--base-dir", folder, "--listen-mode", "tcp"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      RESTATE_BIND_IP: "127.0.0.1",
      RESTATE_BIND_PORT: `${node}`,
      RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}/`,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_LOG_FILTER: "off",
      RESTATE_DISABLE_TELEMETRY: "true",
    },
  });
  const { pid } = server;
  if (pid === undefined) throw new Error("restate-server does not start");
  await report({ kind: "started", pid });
  await healthy(server, `http://127.0.0.1:${admin}/health`);
  await healthy(server, `http://127.0.0.1:${ingress}/restate/health`);
  return {
    ingress: connect({ url: `http://127.0.0.1:${ingress}` }),
    async register(port) {
      const answer = await fetch(`http://127.0.0.1:${admin}/deployments`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ uri: `http://127.0.0.1:${port}` }),
      });
      if (!answer.ok) throw new Error(`Restate refuses an endpoint: ${await answer.text()}`);
    },
    memory: () => mostMemory(pid),
    async close() {
      const exited = once(server, "exit");
      // It is not asked to drain: nothing of it is needed any more.
      server.kill("SIGKILL");
      await exited;
      remove(folder);
    },
  };
}

/** The binary itself: its package's own command is one more process around it. */
function binary(): string {
  const { resolve } = createRequire(
    createRequire(import.meta.url).resolve("@restatedev/restate-server/package.json"),
  );
  return resolve(`@restatedev/restate-server-${platform()}-${arch()}/bin/restate-server`);
}

async function healthy(server: ChildProcess, url: string): Promise<void> {
  const since = performance.now();
  while (!(await answers(url))) {
    if (server.exitCode !== null) throw new Error(`restate-server ended: ${server.exitCode}`);
    if (performance.now() - since > START_MS_MAX) throw new Error("restate-server does not answer");
    await wait(5);
  }
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** In KiB, where the system tells. */
function mostMemory(pid: number): number | undefined {
  try {
    const most = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return most === undefined ? undefined : Number(most);
  } catch {
    return undefined;
  }
}

function spawnWorker(worker: number | "all", port = 0): ChildProcess {
  const program = new URL("./restate-worker.ts", import.meta.url);
  return fork(program, [`${worker}`, `${port}`], { execArgv: [] });
}

async function portOf(worker: ChildProcess): Promise<number> {
  const [port] = (await once(worker, "message")) as [number]; // What `restate-worker.ts` sends.
  return port;
}

async function letGo(worker: ChildProcess): Promise<void> {
  const exited = once(worker, "exit");
  worker.disconnect();
  await exited;
}
