/** Lengths of time as tests write them. */

/** Milliseconds, or a text such as `250ms`, `30s`, `5m`, `2h`, `30d`, `1w`. */
export type Duration = number | `${number}${Unit}`;

type Unit = keyof typeof UNITS;

const UNITS = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
} as const;

/** A duration in ms. @throws TypeError when it is not one, or negative. */
export function milliseconds(duration: Duration): number {
  const ms = typeof duration === "number" ? duration : read(duration);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw new TypeError(
    `'${duration}' is not a duration: give milliseconds, or a text such as 250ms, 30s, 5m, 2h, 30d, 1w.`,
  );
}

function read(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text) ?? [];
  // The expression lets only units of the table through.
  return count === undefined ? Number.NaN : Number(count) * UNITS[unit as Unit];
}
