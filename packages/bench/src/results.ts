/** What was measured, by workload and side, and what follows from it. */

import type { Measured } from "./measuring.ts";
import { median } from "./median.ts";
import type { Outcome } from "./rounds.ts";

/** By workload, then by side. */
export type Results = ReadonlyMap<string, ReadonlyMap<string, Outcome>>;

/** Milliseconds per unit, of each round. */
export function eachOf({ measured }: Outcome): readonly number[] {
  return measured.map(({ ms, units }) => ms / units);
}

/** The median of milliseconds per unit; `undefined` of nothing. */
export function msOf(results: Results, workload: string, side: string): number | undefined {
  const outcome = results.get(workload)?.get(side);
  return outcome && middle(eachOf(outcome));
}

/** The median of one figure; `undefined` where nobody has it. */
export function figureOf(
  results: Results,
  workload: string,
  side: string,
  key: keyof Measured,
): number | undefined {
  const { measured = [] } = results.get(workload)?.get(side) ?? {};
  return middle(measured.flatMap((one) => one[key] ?? []));
}

/** The median; `undefined` of nothing. */
export function middle(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : median(values);
}

/** `one / other`, where both are there. */
export function ratio(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one / other;
}
