/** How the database is reached: one connection, or a pool of them. */
import pg from "pg";
import type { TimeOf } from "./transaction.ts";

export interface PostgresOptions {
  /** As `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** Most connections, but the one that listens for hints; at least 2: transactions have one of their own. */
  readonly poolSize: number;
  /** Present when other servers may have the database too. */
  readonly shared?: SharedOptions | undefined;
  /** How long the database may leave a question unanswered until the connection is taken to be dead, in ms. Default 15,000. */
  readonly answerTimeoutMs?: number | undefined;
  /** How long the outcome of a commit whose answer was lost is asked for, in ms. Default 30,000. */
  readonly confirmMs?: number | undefined;
}

export interface SharedOptions {
  /**
   * Whether the servers hint at what there is for each other, and statements are prepared: not through a pooler that
   * gives each transaction another connection.
   */
  readonly sessions: boolean;
  /** Takes an instant of the database's clock, in ms since the epoch; gives the one that holds. */
  readonly time: TimeOf;
}

/** How long a database that cannot be reached is tried before a request is answered with 503, in ms. */
export const UNREACHABLE_MS = 5_000;
const ANSWER_TIMEOUT_MS = 15_000;
/**
 * Every statement looks up keys or reads an index range. A planner that has seen the tables small would read them whole,
 * and go on to do so when they are large, because plans are kept.
 */
export const PLANNING = ["enable_seqscan", "enable_hashjoin", "enable_mergejoin"];
/** PostgreSQL's number of the type bigint. */
const INT8 = 20;

export function poolOf(options: PostgresOptions, max: number): pg.Pool {
  const { answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
  const pool = new pg.Pool({
    ...connectionOf(options),
    max,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    types: { getTypeParser },
  });
  // A connection that breaks is replaced by the next one; whoever uses it hears of it by what was asked.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

export function connectionOf({ url, shared }: PostgresOptions): pg.ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: UNREACHABLE_MS,
    // A pooler refuses what it cannot keep; there, transactions say it themselves, and no plans are kept.
    ...(shared?.sessions !== false && {
      options: PLANNING.map((name) => `-c ${name}=off`).join(" "),
    }),
  };
}

/** 64-bit integers as numbers: all that are stored are instants and counts. Others as the driver reads them. */
const getTypeParser: pg.CustomTypesConfig["getTypeParser"] = (oid, format) =>
  oid === INT8 && format !== "binary" ? Number : pg.types.getTypeParser(oid, format);
