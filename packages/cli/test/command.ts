/** The command as a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../bin/resonate.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Options {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the command to its end. */
export async function resonate(words: readonly string[], options: Options = {}): Promise<Ended> {
  return new RunningCommand(words, options).ended;
}

/** The command while it runs. */
export class RunningCommand {
  readonly ended: Promise<Ended>;
  readonly #child;
  #out = "";
  #err = "";
  #look: () => void = () => {};

  constructor(words: readonly string[], { cwd, env = {} }: Options = {}) {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(RESONATE|VITEST|NODE_)/.test(name),
    );
    this.#child = spawn(process.execPath, [BIN, ...words], {
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#out += text;
      this.#look();
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#err += text;
      this.#look();
    });
    this.ended = once(this.#child, "close").then(([code]) => {
      this.#look();
      return { code, out: this.#out, err: this.#err };
    });
  }

  /** Resolves with the match when what was printed has it. Rejects when the command ends without. */
  async until(pattern: RegExp, from: "out" | "err" = "out"): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(from === "out" ? this.#out : this.#err);
      if (match) return match;
      if (this.#child.exitCode !== null)
        throw new Error(`ended without ${pattern}:\n${this.#out}${this.#err}`);
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
