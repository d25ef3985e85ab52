/** The last minutes of a server, for the charts. */
import type { ActivityPoint } from "@resonate-ts/protocol";

/** What the overview reads, and the charts show. */
export const WINDOW_MS = 5 * 60_000;

/** With a second that was told of later, in its place; what is too old falls out. */
export function withPoint(
  series: readonly ActivityPoint[],
  point: ActivityPoint,
): readonly ActivityPoint[] {
  const rest = series.filter(({ at }) => at !== point.at && at > point.at - WINDOW_MS);
  const later = rest.findIndex(({ at }) => at > point.at);
  return later === -1 ? [...rest, point] : rest.toSpliced(later, 0, point);
}

export interface Curves {
  /** Seconds since the epoch, one after the other without gaps. */
  readonly at: readonly number[];
  readonly commits: readonly number[];
  readonly requests: readonly number[];
  readonly created: readonly number[];
  readonly settled: readonly number[];
  /** Nothing where there was no request. */
  readonly p50: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
}

/** The series has no points where nothing happened; there the counts are 0. */
export function curvesOf(series: readonly ActivityPoint[], now: number): Curves {
  const known = new Map(series.map((point) => [second(point.at), point]));
  const last = Math.max(second(now) - 1, ...known.keys());
  const first = last - WINDOW_MS / 1_000 + 1;
  const at = Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  const count = (of: (point: ActivityPoint) => number) =>
    at.map((time) => {
      const point = known.get(time);
      return point ? of(point) : 0;
    });
  return {
    at,
    requests: count(({ requests }) => requests),
    commits: count(({ commits }) => commits),
    created: count(({ created }) => created),
    settled: count(({ settled }) => settled),
    p50: at.map((time) => known.get(time)?.p50 ?? null),
    p99: at.map((time) => known.get(time)?.p99 ?? null),
  };
}

function second(at: number): number {
  return Math.floor(at / 1_000);
}
