/** Notes what PostgreSQL is asked while a server runs in this process. */
import pg from "pg";

/** What is asked by the clock and not for any work: once a second, or once for a thousand rows. */
const NOW_AND_THEN = /^(look|set lock timeout|raise floor|take blocks|due|notify)$/;

/** Notes the questions of all connections, but those asked now and then, until `stop`: the names of their statements. */
export function noteQuestions(): { readonly asked: readonly string[]; stop(): void } {
  const asked: string[] = [];
  // It takes one of several shapes, which are passed on as they are.
  const prototype = pg.Client.prototype as unknown as { query: (...given: unknown[]) => unknown };
  const { query } = prototype;
  prototype.query = function (...given) {
    const name = nameOf(given[0]);
    if (!NOW_AND_THEN.test(name)) asked.push(name);
    return query.apply(this, given);
  };
  return {
    asked,
    stop() {
      prototype.query = query;
    },
  };
}

/** Writes are named after the tables that they write to; without a name it is how the text begins. */
function nameOf(asked: unknown): string {
  if (typeof asked === "string") return /\w+/.exec(asked)?.[0] ?? "";
  const { name = "", text = "" } = asked as pg.QueryConfig; // What the driver takes besides.
  return name.startsWith("write ") ? "write" : name || nameOf(text);
}
