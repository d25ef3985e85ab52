/** Servers and workers in processes of their own, which are killed and started again. */
import { freePort } from "../../packages/server/test/support/postgres-instance.ts";
import { Program, type ProgramOptions } from "../../scripts/demo/program.ts";

class Restartable {
  readonly #options: ProgramOptions;
  protected program: Program;

  constructor(options: ProgramOptions) {
    this.#options = options;
    this.program = new Program(options);
  }

  /** Kills it, and starts it again. */
  async kill(): Promise<void> {
    this.program.kill("SIGKILL");
    await this.program.exited;
    this.program = new Program(this.#options);
  }
}

/** A server that keeps its address. */
export class Server extends Restartable {
  readonly url: string;

  private constructor(database: string, url: string, args: readonly string[]) {
    const place = ["--server-port", new URL(url).port, "--storage-type", "postgres"];
    super({
      entry: "packages/cli/src/main.ts",
      args: ["serve", ...place, ...args],
      env: { RESONATE_STORAGE__POSTGRES__URL: database },
    });
    this.url = url;
  }

  /** `args`: more flags. */
  static async start(database: string, args: readonly string[] = []): Promise<Server> {
    const server = new Server(database, `http://127.0.0.1:${await freePort()}`, args);
    await server.program.line(/the server listens/);
    return server;
  }
}

/** A worker of a group (`sums.ts`). */
export class Worker extends Restartable {
  constructor(url: string, group: string) {
    super({ entry: "tests/postgres/worker-process.ts", args: [url, group] });
  }
}
