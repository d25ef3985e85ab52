/** What those who look on are shown of a database. */
import { PARAM_BYTES_MAX, PARAM_HEAD_LENGTH } from "../insight.ts";
import { type Question, RowInsight } from "../row-insight.ts";
import { COLUMNS } from "./statements.ts";
import type { Query } from "./transaction.ts";

const OUTLINE = `p.seq, p.id, p.timeout_at, p.created_at, p.tags, p.state, p.settled_at,
  p.task_state, p.task_version, p.task_resumes, p.task_ttl, p.task_pid, p.task_due_at, p.task_failures, p.task_cause,
  octet_length(p.param) AS param_bytes, octet_length(p.value) AS value_bytes,
  CASE WHEN octet_length(p.param) <= ${PARAM_BYTES_MAX} THEN left(p.param, ${PARAM_HEAD_LENGTH}) END AS param_head`;
const FROM = "FROM resonate.promises p";
const upTo = (where: string) =>
  `(SELECT count(*) FROM (SELECT 1 FROM resonate.promises WHERE ${where} LIMIT $1) counted)`;

/** Goes through the list in its order, and through the index for each, as far as is wanted. */
function tagged(column: "origin" | "caller"): string {
  return `SELECT w.rank - 1 AS by, m.* FROM unnest($1::bigint[]) WITH ORDINALITY AS w (hash, rank)
    CROSS JOIN LATERAL (
      SELECT ${OUTLINE} ${FROM} WHERE p.${column} = w.hash AND p.seq > CASE WHEN w.rank = 1 THEN $2::bigint ELSE 0 END
      ORDER BY p.seq LIMIT $3
    ) m LIMIT $3`;
}

export const INSIGHT = {
  runs: `SELECT ${OUTLINE} ${FROM} WHERE p.origin IS NULL AND p.caller IS NULL AND p.seq < $1 ORDER BY p.seq DESC LIMIT $2`,
  halted: `SELECT ${OUTLINE} ${FROM} WHERE p.task_state = 3 AND p.task_state IN (2, 3) AND p.seq < $1 ORDER BY p.seq DESC LIMIT $2`,
  named: `SELECT ${OUTLINE} ${FROM} WHERE p.id > $1 AND p.id >= $2 AND p.id < $3 ORDER BY p.id LIMIT $4`,
  namedLast: `SELECT ${OUTLINE} ${FROM} WHERE p.id > $1 AND p.id >= $2 ORDER BY p.id LIMIT $3`,
  outlines: `SELECT ${OUTLINE} ${FROM} WHERE p.id = ANY($1)`,
  members: tagged("origin"),
  called: tagged("caller"),
  whole: `SELECT ${COLUMNS} ${FROM} WHERE p.id = $1`,
  awaiters: `SELECT two.id FROM resonate.promises one JOIN resonate.callbacks c ON c.awaited = one.seq
    JOIN resonate.promises two ON two.seq = c.awaiter WHERE one.id = $1 LIMIT $2`,
  listeners: `SELECT l.address ${FROM} JOIN resonate.listeners l ON l.awaited = p.seq WHERE p.id = $1 LIMIT $2`,
  awaits: `SELECT one.id AS awaiter, two.id AS awaited FROM resonate.promises one
    JOIN resonate.callbacks c ON c.awaiter = one.seq JOIN resonate.promises two ON two.seq = c.awaited
    WHERE one.id = ANY($1) LIMIT $2`,
  open: `SELECT ${upTo("due_at IS NOT NULL AND settled_at IS NULL")} AS promises,
    ${upTo("task_state = 0")} AS pending,
    ${upTo("task_state = 1")} AS acquired,
    ${upTo("task_state IN (2, 3) AND task_state = 2")} AS suspended,
    ${upTo("task_state IN (2, 3) AND task_state = 3")} AS halted`,
  held: `SELECT task_pid AS pid, count(*) AS held FROM (
      SELECT task_pid FROM resonate.promises WHERE task_state = 1 ORDER BY task_pid LIMIT $1
    ) held GROUP BY task_pid`,
} as const satisfies Record<Question, string>;

/** Not about rows: the database's own account of its tables. */
const BYTES = `SELECT sum(pg_total_relation_size(c.oid))::bigint AS bytes FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'resonate' AND c.relkind = 'r'`;

export function postgresInsight(query: Query): RowInsight {
  return new RowInsight({
    ask: (name, ...cells) => query(INSIGHT[name], cells, `insight ${name}`),
    bytes: async () => {
      const [row] = await query(BYTES, [], "insight bytes");
      return Number(row?.["bytes"] ?? 0);
    },
  });
}
