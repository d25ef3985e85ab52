/** Every statement of the hot paths, prepared once. Each is a key look-up or an index range. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { TAG } from "@resonate-ts/protocol";

const PROMISE = `p.seq, p.id, p.state, p.timeout_at, p.created_at, p.settled_at, p.due_at, p.tags, p.param, p.value, p.crc`;
const TASK = `t.state AS task_state, t.version AS task_version, t.resumes AS task_resumes,
  t.ttl AS task_ttl, t.pid AS task_pid, t.due_at AS task_due_at,
  t.failures AS task_failures, t.cause AS task_cause`;

/** The columns that `promiseOf` and `taskOf` read. */
export const PROMISE_COLUMNS = PROMISE;
export const TASK_COLUMNS = TASK;

export class Statements {
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly rollback: StatementSync;
  readonly lastSeq: StatementSync;
  readonly byId: StatementSync;
  readonly byBranch: StatementSync;
  readonly inBranch: StatementSync;
  readonly resumed: StatementSync;
  readonly callbacksOf: StatementSync;
  readonly awaitsOf: StatementSync;
  readonly listenersOf: StatementSync;
  readonly listener: StatementSync;
  readonly schedule: StatementSync;
  readonly insertPromise: StatementSync;
  readonly updatePromise: StatementSync;
  readonly putTask: StatementSync;
  readonly putCallback: StatementSync;
  readonly deleteCallback: StatementSync;
  readonly putResume: StatementSync;
  readonly deleteResumes: StatementSync;
  readonly putListener: StatementSync;
  readonly deleteListener: StatementSync;
  readonly putSchedule: StatementSync;
  readonly deleteSchedule: StatementSync;
  readonly duePromises: StatementSync;
  readonly dueTasks: StatementSync;
  readonly dueListeners: StatementSync;
  readonly dueSchedules: StatementSync;
  readonly nextDue: StatementSync;
  readonly held: StatementSync;
  readonly heldBy: StatementSync;
  readonly oldPromises: StatementSync;
  readonly exists: StatementSync;
  readonly treeSize: StatementSync;
  readonly treeEnd: StatementSync;
  readonly treeMembers: StatementSync;
  readonly treeRoot: StatementSync;
  readonly deletePromise: readonly StatementSync[];
  readonly meta: StatementSync;
  readonly putMeta: StatementSync;
  readonly pending: StatementSync;

  constructor(db: DatabaseSync) {
    const prepare = (sql: string) => db.prepare(sql);
    this.begin = prepare("BEGIN IMMEDIATE");
    this.commit = prepare("COMMIT");
    this.rollback = prepare("ROLLBACK");
    this.lastSeq = prepare("SELECT max(seq) AS seq FROM promises");
    this.byId = prepare(
      `SELECT ${PROMISE}, ${TASK} FROM promises p LEFT JOIN tasks t ON t.seq = p.seq WHERE p.id = ?`,
    );
    this.byBranch = prepare(
      `SELECT ${PROMISE} FROM promises p WHERE p.branch = ?1 OR p.id = ?2 ORDER BY p.id`,
    );
    this.inBranch = prepare("SELECT 1 FROM promises WHERE branch = ? LIMIT 1");
    this.resumed = prepare(
      `SELECT ${PROMISE} FROM resumes r JOIN promises p ON p.seq = r.awaited WHERE r.awaiter = ? ORDER BY p.id`,
    );
    this.callbacksOf = prepare(
      "SELECT p.id, p.seq FROM callbacks c JOIN promises p ON p.seq = c.awaiter WHERE c.awaited = ? LIMIT ?",
    );
    this.awaitsOf = prepare(
      "SELECT p.id FROM callbacks c JOIN promises p ON p.seq = c.awaited WHERE c.awaiter = ? LIMIT ?",
    );
    this.listenersOf = prepare(
      "SELECT address FROM listeners WHERE awaited = ? AND notify_at IS NULL LIMIT ?",
    );
    this.listener = prepare("SELECT notify_at FROM listeners WHERE awaited = ? AND address = ?");
    this.schedule = prepare("SELECT record FROM schedules WHERE id = ?");
    this.insertPromise = prepare(
      `INSERT INTO promises (seq, id, timeout_at, created_at, tags, param, caller, branch, origin,
         state, settled_at, due_at, value, crc)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    // The rest of a promise is fixed when it is created.
    this.updatePromise = prepare(
      "UPDATE promises SET state = ?, settled_at = ?, due_at = ?, value = ?, crc = ? WHERE seq = ?",
    );
    this.putTask = prepare(
      `INSERT INTO tasks (seq, state, version, resumes, ttl, pid, due_at, failures, cause)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (seq) DO UPDATE SET state = excluded.state, version = excluded.version,
         resumes = excluded.resumes, ttl = excluded.ttl, pid = excluded.pid, due_at = excluded.due_at,
         failures = excluded.failures, cause = excluded.cause`,
    );
    this.putCallback = prepare("INSERT OR IGNORE INTO callbacks (awaited, awaiter) VALUES (?, ?)");
    this.deleteCallback = prepare("DELETE FROM callbacks WHERE awaited = ? AND awaiter = ?");
    this.putResume = prepare("INSERT OR IGNORE INTO resumes (awaiter, awaited) VALUES (?, ?)");
    this.deleteResumes = prepare("DELETE FROM resumes WHERE awaiter = ?");
    this.putListener = prepare(
      `INSERT INTO listeners (awaited, address, notify_at) VALUES (?, ?, ?)
       ON CONFLICT (awaited, address) DO UPDATE SET notify_at = excluded.notify_at`,
    );
    this.deleteListener = prepare("DELETE FROM listeners WHERE awaited = ? AND address = ?");
    this.putSchedule = prepare(
      `INSERT INTO schedules (id, next_run_at, record) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET next_run_at = excluded.next_run_at, record = excluded.record`,
    );
    this.deleteSchedule = prepare("DELETE FROM schedules WHERE id = ?");
    this.duePromises = prepare(
      "SELECT id, state, due_at FROM promises WHERE due_at <= ? ORDER BY due_at LIMIT ?",
    );
    this.dueTasks = prepare(
      `SELECT p.id, t.state, t.version, t.due_at FROM tasks t JOIN promises p ON p.seq = t.seq
       WHERE t.due_at <= ? ORDER BY t.due_at LIMIT ?`,
    );
    this.dueListeners = prepare(
      `SELECT p.id, l.address, l.notify_at AS due_at FROM listeners l JOIN promises p ON p.seq = l.awaited
       WHERE l.notify_at <= ? ORDER BY l.notify_at LIMIT ?`,
    );
    this.dueSchedules = prepare(
      "SELECT id, next_run_at AS due_at FROM schedules WHERE next_run_at <= ? ORDER BY next_run_at LIMIT ?",
    );
    this.nextDue = prepare(
      `SELECT min(at) AS at FROM (
         SELECT min(due_at) AS at FROM promises WHERE due_at > ?1
         UNION ALL SELECT min(due_at) FROM tasks WHERE due_at > ?1
         UNION ALL SELECT min(notify_at) FROM listeners WHERE notify_at > ?1
         UNION ALL SELECT min(next_run_at) FROM schedules WHERE next_run_at > ?1)`,
    );
    // The index holds acquired tasks only: its condition is repeated here, so that it is used.
    this.held = prepare(
      `SELECT p.id, ${TASK} FROM tasks t JOIN promises p ON p.seq = t.seq WHERE t.state = 1 LIMIT ?`,
    );
    this.heldBy = prepare(
      `SELECT p.id, ${TASK} FROM tasks t JOIN promises p ON p.seq = t.seq
       WHERE t.state = 1 AND t.pid = ? LIMIT ?`,
    );
    this.pending = prepare(
      `SELECT ${PROMISE}, ${TASK} FROM tasks t JOIN promises p ON p.seq = t.seq
       WHERE t.due_at IS NOT NULL AND t.state = ? ORDER BY t.due_at LIMIT ?`,
    );
    this.oldPromises = prepare(
      `SELECT seq, id, created_at, coalesce(settled_at, timeout_at) AS ends_at, origin IS NULL AS is_root, tags
       FROM promises WHERE seq > ? ORDER BY seq LIMIT ?`,
    );
    this.exists = prepare("SELECT 1 FROM promises WHERE id = ?");
    // Those of a tree are found by the hash of its origin; one of another origin with the same hash is counted too.
    this.treeSize = prepare(
      `SELECT (SELECT count(*) FROM promises WHERE origin = ?1)
         + (SELECT count(*) FROM promises WHERE id = ?2 AND origin IS NULL) AS size`,
    );
    this.treeEnd = prepare(
      `SELECT max(ends_at) AS ends_at FROM (
         SELECT max(coalesce(settled_at, timeout_at)) AS ends_at FROM promises WHERE origin = ?1
         UNION ALL
         SELECT coalesce(settled_at, timeout_at) FROM promises WHERE id = ?2 AND origin IS NULL)`,
    );
    const member = `SELECT p.seq, p.id, p.due_at, t.state AS task_state,
        EXISTS (SELECT 1 FROM callbacks WHERE awaited = p.seq)
        OR EXISTS (SELECT 1 FROM resumes WHERE awaited = p.seq)
        OR EXISTS (SELECT 1 FROM listeners WHERE awaited = p.seq) AS wanted
      FROM promises p LEFT JOIN tasks t ON t.seq = p.seq`;
    this.treeMembers = prepare(
      `${member} WHERE p.origin = ?1 AND p.tags ->> '$."${TAG.origin}"' = ?2 ORDER BY p.seq LIMIT ?3`,
    );
    this.treeRoot = prepare(`${member} WHERE p.id = ? AND p.origin IS NULL`);
    // What it awaited in other trees stays, and leads nowhere: its row number is not given again.
    this.deletePromise = [
      prepare("DELETE FROM promises WHERE seq = ?"),
      prepare("DELETE FROM tasks WHERE seq = ?"),
      prepare("DELETE FROM callbacks WHERE awaited = ?"),
      prepare("DELETE FROM resumes WHERE awaiter = ?"),
      prepare("DELETE FROM listeners WHERE awaited = ?"),
    ];
    this.meta = prepare("SELECT value FROM meta WHERE name = ?");
    this.putMeta = prepare(
      "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    );
  }
}
