/** Durations, instants and sizes, as they are shown. */

/** `820 ms`, `1.24 s`, `12.4 s`, `3 min 20 s`, `5 h 2 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1_000) return `${whole} ms`;
  if (whole < 9_995) return `${(whole / 1_000).toFixed(2)} s`;
  if (whole < 59_950) return `${(whole / 1_000).toFixed(1)} s`;
  return longDuration(Math.round(whole / 1_000));
}

/** As `duration`, of a round amount: `250 ms`, `1.5 s`, `30 s`, `2 min`. */
export function roundDuration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  return ms < 60_000 ? `${ms / 1_000} s` : longDuration(Math.round(ms / 1_000));
}

function longDuration(seconds: number): string {
  if (seconds < 3_600) return two(seconds, 60, ["min", "s"]);
  if (seconds < 86_400) return two(Math.round(seconds / 60), 60, ["h", "min"]);
  return two(Math.round(seconds / 3_600), 24, ["d", "h"]);
}

function two(amount: number, per: number, [large, small]: readonly [string, string]): string {
  const rest = amount % per;
  return `${Math.floor(amount / per)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

/** `0 B`, `999 B`, `1.2 kB`, `3.4 MB`. */
export function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let size = count / 1_000;
  let unit = 0;
  for (; size >= 999.5 && unit < units.length - 1; unit++) size /= 1_000;
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

export function counted({
  count,
  more,
}: {
  readonly count: number;
  readonly more?: boolean;
}): string {
  return `${number(count)}${more ? "+" : ""}`;
}

/** With a thin space between thousands, whatever the language of the browser. */
export function number(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** `14:03:07`, and with the day where it is another than that of `now`. */
export function clockTime(at: number, now: number): string {
  const date = new Date(at);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
  return new Date(now).toDateString() === date.toDateString() ? time : `${day(date)} ${time}`;
}

/** `14:03`, for scales. */
export function minuteTime(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes()].map(twoDigits).join(":");
}

/** To the millisecond, for whoever compares it with a log. */
export function exactTime(at: number): string {
  return new Date(at).toISOString();
}

/** `3 s ago`, `in 5 min`. Fractions are left out, since it is seen passing. */
export function relative(at: number, now: number): string {
  const seconds = Math.round(Math.abs(at - now) / 1_000);
  const rough = roundDuration(seconds * 1_000);
  return at > now ? `in ${rough}` : `${rough} ago`;
}

function day(date: Date): string {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join("-");
}

function twoDigits(part: number): string {
  return String(part).padStart(2, "0");
}
