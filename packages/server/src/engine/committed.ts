import type { Committed } from "./engine.ts";
import type { Executed } from "./execute.ts";

/** What a commit came to. */
export function committedBy({ messages, changes }: Executed): Committed {
  const count = (kind: string) => messages.filter((message) => message.kind === kind).length;
  const fired = changes.filter(
    (change) =>
      "put" in change && change.put === "schedule" && change.record.lastRunAt !== undefined,
  );
  return {
    executes: count("execute"),
    unblocks: count("unblock"),
    occurrences: fired.length,
    changes,
  };
}
