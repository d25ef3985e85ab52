/**
 * Cron expressions: 5 fields (minute first), or 6 with seconds first; names allowed; Sunday is 0 or 7; in UTC.
 * Day of month and day of week, both restricted, match when either does.
 */
import { Cron } from "croner";

/** The first occurrence strictly after `after` (ms since the epoch); `undefined` when there is none. */
export function nextOccurrence(cron: string, after: number): number | undefined {
  return new Cron(cron, { timezone: "UTC", paused: true }).nextRun(new Date(after))?.getTime();
}

/** Why `cron` is not a cron expression that ever occurs; `undefined` when it is one. */
export function cronProblem(cron: string, after: number): string | undefined {
  try {
    return nextOccurrence(cron, after) === undefined ? `'${cron}' never occurs` : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
