/** What is asked of PostgreSQL, but for writes. Each is a key look-up or an index range. */

import { OBLIGATIONS_MAX, TREE_PAGE } from "../../core/step.ts";

/** The bytes of a row's long columns. The size of a long text is known without reading it. */
const SIZE = "(octet_length(p.param) + octet_length(p.value) + octet_length(p.tags))";

/** The columns of a promise and its task, as `rows.ts` reads them. */
export const COLUMNS = `p.seq, p.id, p.timeout_at, p.created_at, p.tags, p.param, p.state, p.settled_at, p.due_at, p.value, p.crc,
  p.task_state, p.task_version, p.task_resumes, p.task_ttl, p.task_pid, p.task_due_at, p.task_failures, p.task_cause`;

const FROM = "FROM resonate.promises p";

/** The database's clock, in ms since the epoch. */
const CLOCK = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/** How long a transaction that has locked rows waits for more, in ms. */
const LATER_LOCK_MS = 20;

/**
 * Ordered, so that transactions that lock several rows do so in one order. The clock is read after each row was locked:
 * what another transaction decided on these rows it had decided by then. Who locks more after that does it out of order,
 * and is in every deadlock there is, so it is told, when all are locked, not to wait for long.
 */
export const LOCK_PROMISES = `
  WITH locked AS MATERIALIZED (
    SELECT ${COLUMNS} ${FROM} WHERE p.id = ANY($1) ORDER BY p.id FOR UPDATE
  ) SELECT *, ${CLOCK} AS at,
    (SELECT set_config('lock_timeout', '${LATER_LOCK_MS}', true) FROM (SELECT count(*) FROM locked) all_of_them)
  FROM locked`;

export const LOCK_SCHEDULES =
  "SELECT id, record FROM resonate.schedules WHERE id = ANY($1) ORDER BY id FOR UPDATE";

/** Of each promise, by its row number: at most so many of each kind, and one more where there is one. */
export const OBLIGATIONS = `
  SELECT w.seq AS awaited, p.id AS awaiter, p.seq AS awaiter_seq, NULL AS address
  FROM unnest($1::bigint[]) AS w (seq)
  CROSS JOIN LATERAL (SELECT awaiter FROM resonate.callbacks WHERE awaited = w.seq LIMIT ${OBLIGATIONS_MAX + 1}) c
  JOIN resonate.promises p ON p.seq = c.awaiter
  UNION ALL
  SELECT w.seq, NULL, NULL, l.address
  FROM unnest($1::bigint[]) AS w (seq)
  CROSS JOIN LATERAL (
    SELECT address FROM resonate.listeners WHERE awaited = w.seq AND notify_at IS NULL LIMIT ${OBLIGATIONS_MAX + 1}
  ) l`;

/** What each of these tasks, by its row number, awaits: so many at most, and one more where there is one. */
export const AWAITS = `
  SELECT w.seq AS awaiter, p.id AS awaited
  FROM unnest($1::bigint[]) AS w (seq)
  CROSS JOIN LATERAL (SELECT awaited FROM resonate.callbacks WHERE awaiter = w.seq LIMIT ${OBLIGATIONS_MAX + 1}) c
  JOIN resonate.promises p ON p.seq = c.awaited ORDER BY p.seq`;

export const LISTENERS = `
  SELECT l.awaited, l.address, l.notify_at
  FROM unnest($1::bigint[], $2::text[]) AS w (awaited, address)
  JOIN resonate.listeners l ON l.awaited = w.awaited AND l.address = w.address`;

/**
 * The promises of `from` by id, at most `limit` of them, until they are about `$1` bytes together, at least one. `bytes`: what those up to here
 * are.
 */
export function upTo(from: string, limit = "ALL"): string {
  return `SELECT * FROM (
      SELECT ${COLUMNS}, ${SIZE} AS size, sum(${SIZE}) OVER (ORDER BY p.id)::bigint AS bytes ${from} ORDER BY p.id LIMIT ${limit}
    ) listed WHERE bytes - size < $1 ORDER BY id`;
}

export const BRANCH = upTo(`${FROM} WHERE p.branch = $2 OR p.id = $3`);

/** Promises of branches `$1` (hashes), but for the rows `$2`. */
export const OTHERS_IN_BRANCHES = `SELECT ${COLUMNS} ${FROM} WHERE p.branch = ANY($1) AND p.seq <> ALL($2) LIMIT 100`;

/** Rows in the place of promises that are absent. They are gone at the end of the transaction; until then nobody creates one. */
export const BAR = `
  INSERT INTO resonate.promises (seq, id, timeout_at, created_at, tags, param, state, value, crc)
  SELECT seq, id, 0, 0, '', '', 0, '', 0 FROM unnest($1::bigint[], $2::text[]) AS b (seq, id) ORDER BY id
  ON CONFLICT (id) DO NOTHING RETURNING 1`;
export const UNBAR =
  "DELETE FROM resonate.promises p USING unnest($1::bigint[]) AS b (seq) WHERE p.seq = b.seq";

export const RESUMED = upTo(
  "FROM resonate.resumes r JOIN resonate.promises p ON p.seq = r.awaited WHERE r.awaiter = $2",
);

/** Most promises of one branch, or that resumed one task, that are read together with those of others. */
const AHEAD_ROWS_MAX = 100;

/**
 * The promises that `found` finds for each `a` of `asked`, by its place: all of them, or no row where there are many, or
 * more than `$1` bytes with those before. Of what has none there is a row without a promise.
 */
function ahead(asked: string, found: string): string {
  return `SELECT * FROM (
      SELECT a.place, p.*, count(*) OVER (PARTITION BY a.place) AS rows,
        sum(coalesce(${SIZE}, 0)) OVER (ORDER BY a.place)::bigint AS bytes
      FROM (SELECT * FROM ${asked} ORDER BY place) a LEFT JOIN LATERAL (${found}) p ON true
    ) read WHERE rows <= ${AHEAD_ROWS_MAX} AND bytes <= $1 ORDER BY place, id`;
}

export const BRANCHES = ahead(
  "unnest($2::bigint[], $3::text[]) WITH ORDINALITY AS asked (hash, branch, place)",
  `SELECT ${COLUMNS} ${FROM} WHERE p.id = a.branch
   UNION ALL (SELECT ${COLUMNS} ${FROM} WHERE p.branch = a.hash LIMIT ${AHEAD_ROWS_MAX + 1})`,
);

export const RESUMED_EACH = ahead(
  "unnest($2::bigint[]) WITH ORDINALITY AS asked (awaiter, place)",
  `SELECT ${COLUMNS} FROM resonate.resumes r JOIN resonate.promises p ON p.seq = r.awaited
   WHERE r.awaiter = a.awaiter LIMIT ${AHEAD_ROWS_MAX + 1}`,
);

/** The first instant of those that are `which`, at which something is due. */
function firstDue(which: string): string {
  return `least(
    (SELECT min(due_at) FROM resonate.promises WHERE due_at ${which}),
    (SELECT min(task_due_at) FROM resonate.promises WHERE task_due_at ${which}),
    (SELECT min(notify_at) FROM resonate.listeners WHERE notify_at ${which}),
    (SELECT min(next_run_at) FROM resonate.schedules WHERE next_run_at ${which}))`;
}

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
  UNION ALL (SELECT 5, NULL, NULL, NULL, NULL, ${firstDue("> $1")})
  ORDER BY kind, at`;

export const HELD = `SELECT ${COLUMNS} ${FROM} WHERE p.task_state = 1 LIMIT $1`;
export const HELD_BY = `SELECT ${COLUMNS} ${FROM} WHERE p.task_state = 1 AND p.task_pid = $2 LIMIT $1`;
export const PENDING = `SELECT ${COLUMNS} ${FROM} WHERE p.task_state = 0 AND p.task_due_at IS NOT NULL
  ORDER BY p.task_due_at LIMIT $1`;

const ENDS_AT = "coalesce(p.settled_at, p.timeout_at)";

export const OLD_PROMISES = `SELECT p.seq, p.id, p.created_at, ${ENDS_AT} AS ends_at, p.origin IS NULL AS is_root, p.tags
  ${FROM} WHERE p.seq > $1 ORDER BY p.seq LIMIT $2`;

export const WHICH_EXIST = `SELECT p.id ${FROM} WHERE p.id = ANY($1)`;

// Those of a tree are found by the hash of its origin; one of another origin with the same hash is counted too.
export const TREE_SIZES = `
  SELECT t.origin, (SELECT count(*) ${FROM} WHERE p.origin = t.hash)
    + (SELECT count(*) ${FROM} WHERE p.id = t.origin AND p.origin IS NULL) AS size
  FROM unnest($1::bigint[], $2::text[]) AS t (hash, origin)`;

const IN_TREE = "p.origin = t.hash OR (p.id = t.origin AND p.origin IS NULL)";

/** Of each tree, by the hash of its origin and the origin: members, the root last, and the end of the whole tree with each. */
export const TREES = `
  SELECT t.origin, t.ends_at, m.*
  FROM (
    SELECT *, (SELECT max(${ENDS_AT}) ${FROM} WHERE ${IN_TREE}) AS ends_at
    FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS t (hash, origin, place)
  ) t
  CROSS JOIN LATERAL (
    SELECT p.seq, p.id, p.tags, p.due_at, p.task_state, p.origin IS NULL AS is_root,
      EXISTS (SELECT 1 FROM resonate.callbacks WHERE awaited = p.seq)
      OR EXISTS (SELECT 1 FROM resonate.resumes WHERE awaited = p.seq)
      OR EXISTS (SELECT 1 FROM resonate.listeners WHERE awaited = p.seq) AS wanted
    ${FROM} WHERE ${IN_TREE} ORDER BY is_root, p.seq LIMIT ${TREE_PAGE}
  ) m ORDER BY t.place, m.is_root, m.seq`;

export const ALL_PROMISES = `SELECT ${COLUMNS} ${FROM} ORDER BY p.id`;
export const ALL_CALLBACKS = `SELECT one.id AS awaiter, two.id AS awaited FROM resonate.callbacks c
  JOIN resonate.promises one ON one.seq = c.awaiter JOIN resonate.promises two ON two.seq = c.awaited
  ORDER BY one.id, two.id`;
export const ALL_LISTENERS = `SELECT p.id, l.address, l.notify_at FROM resonate.listeners l
  JOIN resonate.promises p ON p.seq = l.awaited ORDER BY p.id, l.address`;

export const DELETE_ALL =
  "TRUNCATE resonate.callbacks, resonate.resumes, resonate.listeners, resonate.promises, resonate.schedules";

export const CLOCKS = `SELECT value AS floor, ${CLOCK} AS at FROM resonate.meta WHERE name = 'clock_floor'`;

export const RAISE_FLOOR =
  "UPDATE resonate.meta SET value = greatest(value, $1) WHERE name = 'clock_floor'";

/** The line of history of the database: another one after a standby was promoted, where the numbers of transactions mean others. */
const TIMELINE = "left(pg_walfile_name(pg_current_wal_lsn()), 8)";

/** Names a transaction, as soon as it has written. */
export const TRANSACTION = `pg_current_xact_id()::text AS number, ${TIMELINE} AS timeline`;

/** What became of a transaction: `committed`, `aborted`, `in progress`, or null when that is not known any more. */
export const STATUS_OF = `SELECT pg_xact_status($1::text::xid8) AS status, ${TIMELINE} AS timeline`;

/** How long a server may say nothing before it is taken to be gone, in ms. */
export const GONE_MS = 5_000;

/** Most tasks, and most notices, that one look shows, and about how many bytes of each. */
const LOOK_MAX = 500;
const LOOK_BYTES_MAX = 4 * 1024 * 1024;
/** How long before a notice is sent again another server may send it, in ms: not at once, when the first one is under way. */
const NOTICE_EARLY_MS = 800;

const EMPTY_ROW = COLUMNS.replaceAll(/p\.\w+/g, "NULL");
const PLAIN_COLUMNS = COLUMNS.replaceAll("p.", "");

/** Rows of `from`, the first by `order`, within the limits of a look. */
function looked(what: string, { text, from, order }: Record<"text" | "from" | "order", string>) {
  return `SELECT '${what}' AS what, text, NULL::bigint AS at, ${PLAIN_COLUMNS} FROM (
    SELECT ${text} AS text, ${COLUMNS}, ${SIZE} AS size, sum(${SIZE}) OVER (ORDER BY ${order}, p.seq) AS bytes
    ${from} ORDER BY ${order}, p.seq LIMIT ${LOOK_MAX}
  ) ${what}s WHERE bytes - size < ${LOOK_BYTES_MAX}`;
}

/**
 * This server, `$1`, is there at `$2` with whom it has, `$3` (null: as before); work for the groups `$4`, notices for
 * the groups `$5`; whom servers left that are gone, if `$6`; whether this one was not there before; when something is
 * due, and the clock.
 */
export const LOOK = `
  WITH here AS (
    INSERT INTO resonate.servers AS s (name, seen_at, places) VALUES ($1, $2, coalesce($3, '{}'::text[]))
    ON CONFLICT (name) DO UPDATE SET seen_at = $2, places = coalesce($3, s.places)
    RETURNING xmax = 0 AS new
  ), gone AS (
    DELETE FROM resonate.servers WHERE name <> $1 AND $6 AND seen_at < $2 - ${GONE_MS} RETURNING places
  )
  (${looked("pending", {
    text: "NULL::text",
    from: `${FROM} WHERE p.task_state = 0 AND p.task_group = ANY($4) AND p.task_due_at IS NOT NULL`,
    order: "p.task_due_at",
  })})
  UNION ALL (${looked("notice", {
    text: "l.address",
    from: `FROM resonate.listeners l JOIN resonate.promises p ON p.seq = l.awaited
      WHERE l.listener_group = ANY($5) AND l.notify_at < $2 + ${NOTICE_EARLY_MS}`,
    order: "l.notify_at",
  })})
  UNION ALL (SELECT 'abandoned', unnest(places), NULL, ${EMPTY_ROW} FROM gone)
  UNION ALL (SELECT 'new', NULL, NULL, ${EMPTY_ROW} FROM here WHERE new)
  UNION ALL (SELECT 'due', NULL, ${firstDue("IS NOT NULL")}, ${EMPTY_ROW})
  UNION ALL (SELECT 'clock', NULL, ${CLOCK}, ${EMPTY_ROW})`;

export const ELSEWHERE = `SELECT 1 FROM resonate.servers
  WHERE name <> $1 AND $2 = ANY(places) AND seen_at > $3::bigint - ${GONE_MS} LIMIT 1`;

export const NOTIFY = "SELECT pg_notify('resonate', $1)";

export const TAKE_BLOCKS = "SELECT nextval('resonate.blocks') AS block FROM generate_series(1, $1)";
