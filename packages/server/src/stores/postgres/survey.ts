/** What is said of a shared database to those who look on: who is connected where, and what waits for whom. */
import type { Row } from "../rows.ts";
import type { Survey } from "../store.ts";
import { GONE_MS } from "./statements.ts";

/** Who is connected to servers but `$1` that are there at `$2`. */
export const ELSEWHERE_ALL = `SELECT unnest(places) AS place FROM resonate.servers
  WHERE name <> $1 AND seen_at > $2::bigint - ${GONE_MS}`;

/** Most groups that are told of: the first by name. */
const GROUPS_MAX = 1_000;

/**
 * What waits, by group, counted up to `$1`: goes from one group to the next in the index of what is pending. The instant is
 * known of a task that has never been claimed.
 */
export const WAITING = `
  WITH RECURSIVE named (name, rank) AS (
    (SELECT task_group, 1 FROM resonate.promises WHERE task_state = 0 AND task_group IS NOT NULL ORDER BY task_group LIMIT 1)
    UNION ALL
    SELECT (SELECT task_group FROM resonate.promises WHERE task_state = 0 AND task_group > named.name ORDER BY task_group LIMIT 1),
      rank + 1
    FROM named WHERE named.name IS NOT NULL AND rank < ${GROUPS_MAX}
  )
  SELECT named.name,
    (SELECT count(*) FROM (SELECT 1 FROM resonate.promises WHERE task_state = 0 AND task_group = named.name LIMIT $1) counted) AS count,
    (SELECT CASE WHEN task_version = 0 THEN created_at END FROM resonate.promises
     WHERE task_state = 0 AND task_group = named.name ORDER BY task_due_at LIMIT 1) AS at
  FROM named WHERE named.name IS NOT NULL`;

/** Reads the rows of `WAITING`, each counted up to one more than `limit`. */
export function readWaiting(rows: readonly Row[], limit: number): Survey["waiting"] {
  return new Map(
    rows.map((row) => {
      const counted = Number(row["count"]);
      const entry = { count: Math.min(counted, limit), more: counted > limit };
      const at = row["at"];
      return [String(row["name"]), typeof at === "number" ? { ...entry, oldestAt: at } : entry];
    }),
  );
}
