/** Counts what a server and its clients do while they run in this process: requests, commits, rows. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { StatementSync } from "node:sqlite";

/** What work took. It does not depend on how fast the machine is. */
export interface Work {
  /** HTTP requests, those that open streams included. */
  readonly requests: number;
  /** Transactions that wrote something: with `synchronous=FULL` each is one `fsync` of the log. */
  readonly commits: number;
  /** Rows that were written: inserted, changed or deleted. */
  readonly rows: number;
  /** Statements that read. */
  readonly reads: number;
}

/** Every request of the HTTP client of the SDK. */
const REQUESTS = "undici:request:create";
const READING = ["get", "all", "iterate"] as const;

/** Counts from now on, until `stop`. */
export function countWork(): { readonly work: Work; stop(): void } {
  const work = { requests: 0, commits: 0, rows: 0, reads: 0 };
  let wrote = false;
  const ran = (sql: string, changes: number) => {
    switch (/^\w+/.exec(sql.trim())?.[0]) {
      case "BEGIN":
        wrote = false;
        return;
      case "COMMIT":
        if (wrote) work.commits += 1;
        return;
      case "INSERT":
      case "UPDATE":
      case "DELETE":
        work.rows += changes;
        wrote ||= changes > 0;
    }
  };
  const request = () => {
    work.requests += 1;
  };
  const restore = [
    // What `run` gives.
    after("run", ({ sourceSQL }, result) => ran(sourceSQL, Number((result as Ran).changes))),
    ...READING.map((name) => after(name, () => (work.reads += 1))),
  ];
  subscribe(REQUESTS, request);
  return {
    work,
    stop() {
      unsubscribe(REQUESTS, request);
      for (const undo of restore) undo();
    },
  };
}

type Ran = ReturnType<StatementSync["run"]>;
type Method = (this: StatementSync, ...parameters: unknown[]) => unknown;

/** Calls back after each call of a method of all statements; gives how to undo it. */
function after(
  name: "run" | (typeof READING)[number],
  called: (statement: StatementSync, result: unknown) => void,
): () => void {
  // The four differ in what they give, which is passed on as it is.
  const prototype = StatementSync.prototype as unknown as Record<typeof name, Method>;
  const method = prototype[name];
  prototype[name] = function (...parameters) {
    const result = method.apply(this, parameters);
    called(this, result);
    return result;
  };
  return () => {
    prototype[name] = method;
  };
}
