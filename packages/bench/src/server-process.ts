/**
 * A server in a process of its own: `server-process.ts FILE` or `server-process.ts postgres://…`. Sends its URL, and
 * its state whenever it is asked. It ends when its parent lets go of it.
 */
import { StatementSync } from "node:sqlite";
import { keepHeapSmall, readSettings, serve } from "@resonate-ts/server";
import type { Effort } from "./running.ts";

export interface ServerState extends Effort {
  /** Most memory that was taken, in KiB. */
  readonly memory: number;
}

keepHeapSmall(); // As the command does.
const [store = ""] = process.argv.slice(2);
const flags = store.startsWith("postgres://")
  ? { "storage.type": "postgres", "storage.postgres.url": store }
  : { "storage.sqlite.path": store };
let statements = 0;
countStatements();
const starting = serve(readSettings({ flags: { "server.port": "0", level: "warn", ...flags } }));
process.on("disconnect", () => {
  void starting.then((server) => server.close()).finally(() => process.exit());
});
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  const memory = process.resourceUsage().maxRSS;
  const state: ServerState = { memory, statements, processorMs: (user + system) / 1_000 };
  process.send?.(state);
});
const { url } = await starting;
process.send?.(url);

/** Of SQLite: those that were prepared, whoever runs them. */
function countStatements(): void {
  for (const name of ["run", "get", "all", "iterate"] as const) {
    const method = StatementSync.prototype[name];
    const counted = function (this: StatementSync, ...parameters: never[]) {
      statements += 1;
      return Reflect.apply(method, this, parameters);
    };
    Object.defineProperty(StatementSync.prototype, name, { value: counted });
  }
}
