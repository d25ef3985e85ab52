/**
 * Workflows on two servers that share one PostgreSQL, while the database crashes and servers are killed (R2).
 * `WORKFLOWS=5000` is the long run; `SEED=…` repeats the order of faults.
 */
import { once } from "node:events";
import { createServer } from "node:net";
import { type Context, Resonate, silentLogger } from "@resonate-ts/sdk";
import { afterEach, expect, test } from "vitest";
import {
  type Cluster,
  createDatabase,
  startCluster,
} from "../../packages/server/test/support/postgres.ts";
import { Program, stopPrograms } from "../../scripts/demo/program.ts";

const WORKFLOWS = Number(process.env["WORKFLOWS"] ?? 150);
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));
/** Workflows under way at a time. */
const AT_ONCE = 50;
/** Pause between two faults, in ms: so long, and up to so much longer. */
const PAUSE_MS = Number(process.env["WORKFLOWS"] ? 5_000 : 1_500);

let cluster: Cluster;
const clients: Resonate[] = [];
afterEach(async () => {
  await Promise.all(clients.map((client) => client.stop()));
  await stopPrograms();
  await cluster.stop();
});

test(`${WORKFLOWS} workflows end as they should, whatever crashes under them (SEED=${SEED})`, async () => {
  cluster = await startCluster();
  const { url: database } = await createDatabase(cluster.url);
  const servers = [await Server.start(database), await Server.start(database)] as const;
  const [one, two] = servers;
  // Each workflow calls another group, whose workers are connected to the other server.
  clients.push(worker(one.url, "odd"), worker(two.url, "even"));
  const client = new Resonate({ url: one.url, group: "clients", logger: silentLogger });
  clients.push(client);
  let over = false;
  const faults = inTurn(servers, () => over);

  const results: number[] = [];
  for (let first = 0; first < WORKFLOWS; first += AT_ONCE) {
    const numbers = Array.from(
      { length: Math.min(AT_ONCE, WORKFLOWS - first) },
      (_, at) => first + at,
    );
    const options = client.options({ target: "odd" });
    const handles = await Promise.all(
      numbers.map((n) => client.beginRpc<number>(`w${n}`, "sum", n, options)),
    );
    results.push(...(await Promise.all(handles.map((handle) => handle.result()))));
  }
  over = true;
  const counts = await faults;

  expect(results).toEqual(Array.from({ length: WORKFLOWS }, (_, n) => n + 2 * n + 1));
  expect(counts.crashes + counts.kills).toBeGreaterThan(0);
  if (process.env["WORKFLOWS"]) process.stdout.write(`${JSON.stringify(counts)}\n`);
}, 3_600_000);

/** n, twice n by another group, and one: three steps, of which one is elsewhere. */
function worker(url: string, group: string): Resonate {
  const resonate = new Resonate({ url, group, logger: silentLogger });
  resonate.register("sum", function* (ctx: Context, n: number) {
    const own: number = yield* ctx.run(() => n);
    const twice: number = yield* ctx.rpc("twice", n, ctx.options({ target: "even" }));
    return (yield* ctx.run(() => own + twice + 1)) as number;
  });
  resonate.register("twice", (_: Context, n: number) => 2 * n);
  return resonate;
}

class Server {
  readonly url: string;
  readonly #database: string;
  #program: Program;

  private constructor(database: string, url: string) {
    this.#database = database;
    this.url = url;
    this.#program = this.#spawn();
  }

  static async start(database: string): Promise<Server> {
    const server = new Server(database, `http://127.0.0.1:${await freePort()}`);
    await server.#program.line(/the server listens/);
    return server;
  }

  async kill(): Promise<void> {
    this.#program.kill("SIGKILL");
    await this.#program.exited;
    this.#program = this.#spawn();
  }

  #spawn(): Program {
    return new Program({
      entry: "packages/cli/src/main.ts",
      args: ["serve", "--server-port", new URL(this.url).port, "--storage-type", "postgres"],
      env: { RESONATE_STORAGE__POSTGRES__URL: this.#database },
    });
  }
}

/** One fault after the other, until it is over. */
async function inTurn(
  servers: readonly Server[],
  isOver: () => boolean,
): Promise<{ crashes: number; kills: number }> {
  let state = SEED;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const counts = { crashes: 0, kills: 0 };
  while (!isOver()) {
    if (counts.crashes === 0 || random() < 0.7) {
      counts.crashes++;
      await cluster.crash(random() * 2_000);
    } else {
      counts.kills++;
      await servers[Math.floor(random() * servers.length)]?.kill();
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (1 + random())));
  }
  return counts;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
