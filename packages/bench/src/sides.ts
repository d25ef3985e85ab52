/** Who is measured, in words: what each is, and what it makes durable and when. How each is opened is not here. */

export type Family = "limits" | "ours" | "peers";

export interface SideInfo {
  readonly title: string;
  readonly family: Family;
  readonly durable: string;
  /** The workloads that it has a meaning for, by the start of their names. Default all. */
  readonly only?: readonly string[];
  /** The workloads that it has none for, likewise. Default none. */
  readonly not?: readonly string[];
  /** Wants a PostgreSQL of its own. */
  readonly database?: true;
  /** Installed only when it is measured. */
  readonly installed?: true;
  /** How it says what is measured, where that is not plain. */
  readonly note?: string;
}

const EVERY_STEP = "every step, on the disk before it is answered";

export const SIDES: Readonly<Record<string, SideInfo>> = {
  disk: {
    title: "limit: append 4 KiB, fdatasync",
    family: "limits",
    durable: "each append",
    only: ["W1-"],
  },
  sqlite: {
    title: "limit: one row each, SQLite, 1,000 a commit",
    family: "limits",
    durable: "each group",
    only: ["W2-", "W2b-"],
  },
  post: {
    title: "limit: one POST and one commit each, bare",
    family: "limits",
    durable: "each POST, before it is answered",
    only: ["W1-", "W3-", "W4-closed"],
  },
  official: {
    title: "official SDK, in memory",
    family: "peers",
    durable: "nothing",
    not: ["W6-"],
    note: "its records end with its process, so it has no W6; a recursion stays in its process.",
  },
  restate: {
    title: "Restate 1.7.12, one server with its defaults",
    family: "peers",
    durable: "every journal entry, in a log that is synced before it goes on",
    installed: true,
    note: "steps are `ctx.run`, children are calls of a service, joined by `RestatePromise.all`; its services are HTTP/2 endpoints with streams in both directions. An address stands for one process, so the recursion of W3 goes round three services, one for each worker. Small workflows are plain handlers called through the ingress without an idempotency key, which is less than our ids do.",
  },
  dbos: {
    title: "DBOS 5.3.0, on PostgreSQL 18",
    family: "peers",
    durable: "every step and workflow, by a synchronous commit of PostgreSQL",
    database: true,
    installed: true,
    note: "steps are `DBOS.runStep`, remote children are workflows on a queue, small workflows are started in the process that wants the result. Queues and results are polled, by default once a second, and most of W2, W3 and W6 would be waiting for that: they are polled every 10 ms in W3 and every 100 ms in W2 and W6, which is in its favour. Children are started at once and waited for by `DBOS.waitAll`. PostgreSQL runs already in W5, and its memory is not shown.",
  },
  memory: { title: "ours, in memory", family: "ours", durable: "nothing", not: ["W6-"] },
  file: { title: "ours, in a file", family: "ours", durable: EVERY_STEP },
  server: { title: "ours, a server on SQLite", family: "ours", durable: EVERY_STEP },
  postgres: {
    title: "ours, a server on PostgreSQL 18",
    family: "ours",
    durable: "every step, by a synchronous commit of PostgreSQL before it is answered",
    database: true,
    note: "PostgreSQL runs already in W5, and its memory is not shown.",
  },
};

/** Whether the side has a meaning for the workload. */
export function suits(
  { only, not = [] }: Pick<SideInfo, "only" | "not">,
  workload: string,
): boolean {
  const named = (start: string) => workload.startsWith(start);
  return (only === undefined || only.some(named)) && !not.some(named);
}
