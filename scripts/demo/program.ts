/** A program of this repository as a process of its own, and the lines it prints. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Lets Node run TypeScript, wherever the program's working directory is. */
const LOADER = import.meta.resolve("tsx");
/** How long a line may take to appear, and a program to end, in ms. Generous: machines are slow when they are busy. */
const PATIENCE_MS = 30_000;

export interface Line {
  readonly text: string;
  /** When it was read, in ms, as `performance.now()` counts. */
  readonly at: number;
}

export interface ProgramOptions {
  /** The file to run, from the root of the repository. */
  readonly entry: string;
  readonly args?: readonly string[];
  /** Added to this process's environment, from which everything of Resonate is removed. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told of every line as it is printed, on either stream. */
  readonly onLine?: (text: string) => void;
}

const running = new Set<Program>();

/** Ends every program that is still there, however it was left, also one that is started meanwhile. */
export async function stopPrograms(): Promise<void> {
  while (running.size > 0) await Promise.all([...running].map((program) => program.stop()));
}

/** A running program. It is Node itself, with nothing in between, so that a signal reaches the program. */
export class Program {
  readonly pid: number;
  /** What it printed so far, on either stream, without colours. */
  readonly lines: Line[] = [];
  /** Resolves with its exit code, or with the signal that ended it, when everything it printed has been read. */
  readonly exited: Promise<number | NodeJS.Signals>;
  readonly #entry: string;
  readonly #process: ChildProcess;
  readonly #watchers = new Set<(line: Line) => void>();

  constructor({ entry, args = [], env = {}, onLine = () => {} }: ProgramOptions) {
    this.#entry = entry;
    this.#process = spawn(process.execPath, ["--import", LOADER, `${ROOT}${entry}`, ...args], {
      cwd: ROOT,
      env: { ...cleanEnvironment(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { pid, stdout, stderr } = this.#process;
    if (pid === undefined) throw new Error(`${entry} could not be started.`);
    this.pid = pid;
    this.exited = new Promise((resolve, reject) => {
      this.#process.once("error", reject);
      this.#process.once("close", (code, signal) => resolve(code ?? signal ?? 0));
    });
    running.add(this);
    void this.exited.catch(() => {}).then(() => running.delete(this));
    for (const stream of [stdout, stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on("line", (raw) => {
        const line = { text: stripVTControlCharacters(raw), at: performance.now() };
        this.lines.push(line);
        onLine(line.text);
        for (const watch of this.#watchers) watch(line);
      });
    }
  }

  /**
   * The first line that matches, printed already or yet to come.
   *
   * @throws Error with what was printed, when the program ends without it, or does not print it within 30 s.
   */
  line(pattern: RegExp): Promise<Line> {
    const printed = this.lines.find(({ text }) => pattern.test(text));
    if (printed) return Promise.resolve(printed);
    return new Promise((resolve, reject) => {
      const end = (act: () => void) => {
        this.#watchers.delete(watch);
        clearTimeout(timer);
        act();
      };
      const watch = (line: Line) => pattern.test(line.text) && end(() => resolve(line));
      const fail = (why: string) => end(() => reject(this.#problem(`${why} ${pattern}`)));
      const timer = setTimeout(() => fail(`did not print within ${PATIENCE_MS} ms`), PATIENCE_MS);
      this.#watchers.add(watch);
      void this.exited.then((code) => fail(`ended (${code}) without printing`));
    });
  }

  /** Sends a signal to it, and to nothing else. */
  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Waits until it has ended by itself. @throws Error with what was printed, unless its exit code is 0. */
  async success(): Promise<void> {
    const code = await this.exited;
    if (code !== 0) throw this.#problem(`ended with ${code}`);
  }

  /** Ends it as Ctrl-C would, and by force when that takes too long. Does nothing when it has ended. */
  async stop(): Promise<number | NodeJS.Signals> {
    this.kill("SIGINT");
    const timer = setTimeout(() => this.kill("SIGKILL"), PATIENCE_MS);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }

  #problem(what: string): Error {
    const printed = this.lines.map(({ text }) => `  ${text}`).join("\n");
    return new Error(`${this.#entry} ${what}. It printed:\n${printed}`);
  }
}

/** The environment without what would change what the programs do. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(RESONATE|FACTORIAL|NOTIFICATIONS|CRAWLER)_|^(NO_COLOR|FORCE_COLOR|NODE_OPTIONS)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
