/** Lengths of time as people write and read them. */

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Longest duration that is taken: 100 years of 365 days. */
const DURATION_MS_MAX = 36_500 * UNITS.d;

/** Reads `500ms`, `30s`, `1h30m`, in ms; `undefined` for anything else, and for nothing at all such as `0s`. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d{1,15}(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+)(ms|[smhd])/g);
  let total = 0;
  // The pattern lets only these units through.
  for (const [, count, unit] of parts) total += Number(count) * UNITS[unit as keyof typeof UNITS];
  return total > 0 && total <= DURATION_MS_MAX ? total : undefined;
}

/** Writes a length of time in its two largest units: `12ms`, `1.5s`, `3m 20s`, `2h 5m`, `4d 1h`. */
export function formatDuration(ms: number): string {
  if (ms < UNITS.s) return `${ms}ms`;
  if (ms < UNITS.m) return `${Math.floor(ms / 100) / 10}s`;
  if (ms < UNITS.h) return pair(ms, "m", "s");
  if (ms < UNITS.d) return pair(ms, "h", "m");
  return pair(ms, "d", "h");
}

function pair(ms: number, large: keyof typeof UNITS, small: keyof typeof UNITS): string {
  const rest = Math.floor((ms % UNITS[large]) / UNITS[small]);
  return `${Math.floor(ms / UNITS[large])}${large}${rest === 0 ? "" : ` ${rest}${small}`}`;
}
