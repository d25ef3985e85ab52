/** A server, and workers that compute factorials, each a process of its own. */
import { setTimeout } from "node:timers/promises";
import { PROTOCOL_VERSION } from "@resonate-ts/protocol";
import { type Line, Program } from "./program.ts";

/** Time between two questions about the same task, in ms. */
const ASK_AGAIN_MS = 5;
const ASK_MAX = 2_000;

export interface ClusterOptions {
  /** A folder for the server's data. */
  readonly folder: string;
  readonly workers: readonly string[];
  /** How long each multiplication takes, in ms. */
  readonly pauseMs: number;
  /** Told of every line that a worker prints. */
  readonly onLine?: (text: string) => void;
}

export interface FactorialAnswer {
  readonly value: bigint;
  /** The second line: how long it took, and where it came from. */
  readonly how: string;
}

/** A multiplication that a worker has printed. */
export interface Computed extends Line {
  readonly n: number;
  readonly worker: string;
}

export class Cluster {
  readonly url: string;
  readonly #server: Program;
  readonly #workers: ReadonlyMap<string, Program>;

  private constructor(url: string, server: Program, workers: ReadonlyMap<string, Program>) {
    this.url = url;
    this.#server = server;
    this.#workers = workers;
  }

  /** Starts the server on a free port, then the workers; resolves when all of them are up. */
  static async start({ folder, workers, pauseMs, onLine }: ClusterOptions): Promise<Cluster> {
    const server = new Program({
      entry: "packages/cli/src/main.ts",
      args: ["dev", "--server-port", "0", "--storage-sqlite-path", `${folder}/server.db`],
    });
    const programs = new Map<string, Program>();
    try {
      const { text } = await server.line(/listens on/);
      const url = /http:\S+/.exec(text)?.[0] ?? "";
      for (const name of workers) {
        const args = ["--name", name, "--pause-ms", String(pauseMs)];
        const env = { RESONATE_URL: url };
        const entry = "apps/factorial-worker/src/main.ts";
        programs.set(name, new Program({ entry, args, env, ...(onLine && { onLine }) }));
      }
      await Promise.all([...programs.values()].map((worker) => worker.line(/serves group/)));
      return new Cluster(url, server, programs);
    } catch (error) {
      await stopAll([...programs.values(), server]);
      throw error;
    }
  }

  /** Runs the client, as a person would. */
  async ask(n: number, ...flags: readonly string[]): Promise<FactorialAnswer> {
    const client = new Program({
      entry: "apps/factorial-client/src/main.ts",
      args: [String(n), ...flags],
      env: { RESONATE_URL: this.url },
    });
    try {
      await client.success();
    } finally {
      await client.stop();
    }
    const [answer = "", how = ""] = client.lines.map(({ text }) => text);
    const value = answer.split(" = ")[1];
    if (value === undefined) throw new Error(`The client ended without an answer for ${n}.`);
    return { value: BigInt(value), how };
  }

  /** Every multiplication that any worker has printed, in the order in which they were read. */
  computed(): readonly Computed[] {
    const all = [...this.#workers].flatMap(([worker, { lines }]) =>
      lines.flatMap((line) => {
        const n = /factorial\((\d+)\) =/.exec(line.text)?.[1];
        return n === undefined ? [] : [{ ...line, n: Number(n), worker }];
      }),
    );
    return all.sort((a, b) => a.at - b.at);
  }

  /** Resolves when some worker has printed the product for n. */
  async product(n: number): Promise<void> {
    const pattern = new RegExp(`factorial\\(${n}\\) =`);
    const printed = [...this.#workers.values()].map((worker) => worker.line(pattern));
    // When no worker prints it, the first one's reason says more than that there are several.
    await Promise.any(printed).catch(() => printed[0]);
  }

  /** The name of the worker that holds the call for n, as soon as one does. */
  async holder(n: number): Promise<string> {
    for (let asked = 0; asked < ASK_MAX; asked++) {
      const pid = await this.#pidOf(`factorial-${n}`);
      const name = pid?.slice(0, pid.lastIndexOf("-"));
      if (name !== undefined) return name;
      await setTimeout(ASK_AGAIN_MS);
    }
    throw new Error(`Nobody took factorial(${n}).`);
  }

  /** `kill -9`: the worker has no time to say goodbye. Resolves when it is gone, with the time of the signal. */
  async kill(name: string): Promise<number> {
    const worker = this.#workers.get(name);
    if (!worker) throw new Error(`There is no worker ${name}.`);
    const at = performance.now();
    worker.kill("SIGKILL");
    await worker.exited;
    return at;
  }

  /** Ends every process as Ctrl-C would; resolves with the exit codes of those that were still there. */
  stop(): Promise<readonly (number | NodeJS.Signals)[]> {
    return stopAll([...this.#workers.values(), this.#server]);
  }

  async #pidOf(id: string): Promise<string | undefined> {
    const head = { corrId: "demo", version: PROTOCOL_VERSION };
    const body = JSON.stringify({ kind: "task.get", head, data: { id } });
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(this.url, { method: "POST", headers, body });
    // What `task.get` answers, as the protocol says; an error's data is a text and has no task.
    const { data } = (await response.json()) as {
      data: { task?: { state: string; pid?: string } };
    };
    return data.task?.state === "acquired" ? data.task.pid : undefined;
  }
}

/** The n that were computed more than once; `cutShort` may have been, because its worker was killed meanwhile. */
export function repeated(computed: readonly Computed[], cutShort: number): readonly number[] {
  const counts = new Map<number, number>();
  for (const { n } of computed) counts.set(n, (counts.get(n) ?? 0) + 1);
  return [...counts].filter(([n, count]) => count > 1 && n !== cutShort).map(([n]) => n);
}

/** n!, by a plain loop. */
export function factorialOf(n: number): bigint {
  let product = 1n;
  for (let factor = 2n; factor <= n; factor++) product *= factor;
  return product;
}

/** Workers first: they give back what they hold. */
async function stopAll(
  programs: readonly Program[],
): Promise<readonly (number | NodeJS.Signals)[]> {
  const codes: (number | NodeJS.Signals)[] = [];
  for (const program of programs) codes.push(await program.stop());
  return codes;
}
