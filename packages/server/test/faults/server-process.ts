/** A server as a person starts it: the command, in a process of its own, on a port of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PROTOCOL_VERSION } from "@resonate-ts/protocol";

const COMMAND = fileURLToPath(new URL("../../../cli/bin/resonate.js", import.meta.url));

const MS_PER_TICK = 10;

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly data: any;
}

export interface Entry {
  readonly kind: string;
  readonly data: unknown;
}

export class ServerProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #wrapped: boolean;

  private constructor(child: ChildProcess, url: string, wrapped: boolean) {
    this.#child = child;
    this.#wrapped = wrapped;
    this.url = url;
  }

  /** Starts a server on the file `path`, under the words of `wrapper` if there are any. */
  static async start(
    path: string,
    wrapper: readonly string[] = [],
    flags: readonly string[] = [],
  ): Promise<ServerProcess> {
    const { child, line } = launch(path, wrapper, flags);
    const first = await line;
    const url = /http:\S+/.exec(first)?.[0];
    if (url === undefined) throw new Error(`the server did not start: ${first}`);
    return new ServerProcess(child, url, wrapper.length > 0);
  }

  /** How a server ends that cannot start: its exit code and what it says. */
  static async refused(path: string): Promise<{ code: number | null; said: string }> {
    const { child, line } = launch(path, [], []);
    const said = await line;
    await ended(child);
    return { code: child.exitCode, said };
  }

  /** The answer to one request; status 0 when there was none. */
  async ask(kind: string, data: unknown): Promise<Answer> {
    return (await this.#post(envelope({ kind, data }))) ?? { status: 0, data: "" };
  }

  /** The answers to a batch; empty when there were none. */
  async askAll(entries: readonly Entry[]): Promise<readonly Answer[]> {
    const response = await this.#fetch("/", JSON.stringify(entries.map(envelope)));
    if (!response?.ok) return [];
    const answers = (await response.json()) as { head: { status: number }; data: unknown }[];
    return answers.map(({ head, data }) => ({ status: head.status, data }));
  }

  /** The status of a GET. */
  async status(path: string): Promise<number> {
    return (await this.#fetch(path))?.status ?? 0;
  }

  /** Processor time that the process has used, in ms (Linux). */
  get processorMs(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8").split(") ")[1]?.split(" ");
    return (Number(fields?.[11]) + Number(fields?.[12])) * MS_PER_TICK;
  }

  /** Memory that the process has, in bytes (Linux). */
  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** Resolves when the process has ended. */
  async ended(): Promise<void> {
    await ended(this.#child);
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.#wrapped) killGroup(this.#child, signal);
    else this.#child.kill(signal);
    await ended(this.#child);
  }

  async #post(body: unknown): Promise<Answer | undefined> {
    const response = await this.#fetch("/", JSON.stringify(body));
    if (!response) return undefined;
    try {
      const { head, data } = (await response.json()) as { head: { status: number }; data: unknown };
      return { status: head.status, data };
    } catch {
      return undefined; // Cut off.
    }
  }

  /** `undefined` when there was no answer. */
  async #fetch(path: string, body?: string): Promise<Response | undefined> {
    try {
      return await fetch(`${this.url}${path}`, body === undefined ? {} : { method: "POST", body });
    } catch {
      return undefined;
    }
  }
}

function launch(path: string, wrapper: readonly string[], flags: readonly string[]) {
  const words = [...wrapper, process.execPath, COMMAND, "serve", "--server-port", "0"];
  const [program = "", ...args] = [
    ...words,
    "--storage-sqlite-path",
    path,
    "--level",
    "error",
    ...flags,
  ];
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(RESONATE|VITEST|NODE_)/.test(name)),
  );
  // A wrapper that is killed leaves what it wraps: they get a group of their own, and end together.
  const detached = wrapper.length > 0;
  const child = spawn(program, args, { env, detached, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const { promise: line, resolve } = Promise.withResolvers<string>();
  const hear = (text: string) => {
    said += text;
    if (said.includes("\n")) resolve(said);
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", hear);
  child.once("close", () => resolve(said));
  return { child, line };
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // All of it has ended.
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

function envelope({ kind, data }: Entry): unknown {
  return { kind, head: { corrId: "c", version: PROTOCOL_VERSION }, data };
}
