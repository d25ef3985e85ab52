/** The servers that are measured, each in a process of its own on a file of its own. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const SIDES = { bare: "./bare-server.ts", ours: "../server-process.ts" } as const;
export type Side = keyof typeof SIDES;

/** Ticks of the processor's clock in a second, on Linux. */
const TICKS = 100;

export class Server {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#child = child;
    this.#folder = folder;
  }

  static async start(side: Side): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), "resonate-bench-"));
    const child = fork(new URL(SIDES[side], import.meta.url), [join(folder, "bench.db")], {
      // Run by Node itself, which keeps what it has compiled, as the command is: what tsx makes of sources is slower.
      execArgv: [],
      env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache") },
    });
    const [url] = await once(child, "message");
    return new Server(String(url), child, folder);
  }

  /** Memory that the process has now, in MB. */
  get residentMb(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
  }

  /** Processor time that the process has used, in ms. */
  get processorMs(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8").split(") ")[1]?.split(" ");
    return ((Number(fields?.[11]) + Number(fields?.[12])) / TICKS) * 1_000;
  }

  /** Reads and writes that the process has asked the system for. */
  get systemCalls(): number {
    const io = readFileSync(`/proc/${this.#child.pid}/io`, "utf8");
    return Number(/syscr: (\d+)/.exec(io)?.[1]) + Number(/syscw: (\d+)/.exec(io)?.[1]);
  }

  /** Size of the database and its log, in MB. */
  get fileMb(): number {
    const sizes = ["", "-wal"].map(
      (suffix) => statSync(join(this.#folder, `bench.db${suffix}`)).size,
    );
    return sizes.reduce((sum, size) => sum + size, 0) / 1_048_576;
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
