/** What is asked of PostgreSQL, but for writes. Each is a key look-up or an index range. */

/** The columns of a promise and its task, as `rows.ts` reads them. */
export const COLUMNS = `p.seq, p.id, p.timeout_at, p.created_at, p.tags, p.param, p.state, p.settled_at, p.due_at, p.value, p.crc,
  p.task_state, p.task_version, p.task_resumes, p.task_ttl, p.task_pid, p.task_due_at, p.task_failures, p.task_cause`;

const FROM = "FROM resonate.promises p";

/** Ordered, so that transactions that lock several rows do so in one order. */
export const LOCK_PROMISES = `SELECT ${COLUMNS} ${FROM} WHERE p.id = ANY($1) ORDER BY p.id FOR UPDATE`;

export const LOCK_SCHEDULES =
  "SELECT id, record FROM resonate.schedules WHERE id = ANY($1) ORDER BY id FOR UPDATE";

/** Of each promise, by its row number: at most `$2` of each kind. */
export const OBLIGATIONS = `
  SELECT w.seq AS awaited, p.id AS awaiter, p.seq AS awaiter_seq, NULL AS address
  FROM unnest($1::bigint[]) AS w (seq)
  CROSS JOIN LATERAL (SELECT awaiter FROM resonate.callbacks WHERE awaited = w.seq LIMIT $2) c
  JOIN resonate.promises p ON p.seq = c.awaiter
  UNION ALL
  SELECT w.seq, NULL, NULL, l.address
  FROM unnest($1::bigint[]) AS w (seq)
  CROSS JOIN LATERAL (
    SELECT address FROM resonate.listeners WHERE awaited = w.seq AND notify_at IS NULL LIMIT $2
  ) l`;

export const LISTENERS = `
  SELECT l.awaited, l.address, l.notify_at
  FROM unnest($1::bigint[], $2::text[]) AS w (awaited, address)
  JOIN resonate.listeners l ON l.awaited = w.awaited AND l.address = w.address`;

export const BRANCH = `SELECT ${COLUMNS} ${FROM} WHERE p.branch = $1 OR p.id = $2 ORDER BY p.id`;

export const RESUMED = `SELECT ${COLUMNS} FROM resonate.resumes r JOIN resonate.promises p ON p.seq = r.awaited
  WHERE r.awaiter = $1 ORDER BY p.id`;

/** What is due at `$1`, at most `$2` of each kind, and (kind 5) the next instant after it at which something will be. */
export const DUE = `
  (SELECT 1 AS kind, id, state, NULL::bigint AS version, NULL AS address, due_at AS at ${FROM}
   WHERE due_at <= $1 ORDER BY due_at LIMIT $2)
  UNION ALL (SELECT 2, id, task_state, task_version, NULL, task_due_at ${FROM}
   WHERE task_due_at <= $1 ORDER BY task_due_at LIMIT $2)
  UNION ALL (SELECT 3, p.id, NULL, NULL, l.address, l.notify_at FROM resonate.listeners l
   JOIN resonate.promises p ON p.seq = l.awaited WHERE l.notify_at <= $1 ORDER BY l.notify_at LIMIT $2)
  UNION ALL (SELECT 4, id, NULL, NULL, NULL, next_run_at FROM resonate.schedules
   WHERE next_run_at <= $1 ORDER BY next_run_at LIMIT $2)
  UNION ALL (SELECT 5, NULL, NULL, NULL, NULL, least(
    (SELECT min(due_at) FROM resonate.promises WHERE due_at > $1),
    (SELECT min(task_due_at) FROM resonate.promises WHERE task_due_at > $1),
    (SELECT min(notify_at) FROM resonate.listeners WHERE notify_at > $1),
    (SELECT min(next_run_at) FROM resonate.schedules WHERE next_run_at > $1)))
  ORDER BY kind, at`;

export const HELD = `SELECT ${COLUMNS} ${FROM} WHERE p.task_state = 1 LIMIT $1`;
export const HELD_BY = `SELECT ${COLUMNS} ${FROM} WHERE p.task_state = 1 AND p.task_pid = $2 LIMIT $1`;
export const PENDING = `SELECT ${COLUMNS} ${FROM} WHERE p.task_state = 0 AND p.task_due_at IS NOT NULL
  ORDER BY p.task_due_at LIMIT $1`;

export const RAISE_FLOOR =
  "UPDATE resonate.meta SET value = greatest(value, $1) WHERE name = 'clock_floor'";

/** What became of the transaction of that number: `committed`, `aborted`, `in progress`, or null when that is not known any more. */
export const STATUS_OF = "SELECT pg_xact_status($1::text::xid8) AS status";

export const TAKE_BLOCKS = "SELECT nextval('resonate.blocks') AS block FROM generate_series(1, $1)";
