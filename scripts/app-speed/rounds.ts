/** Numbers of several rounds, and how they are shown. */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** `726 pages/s (726, 645), 0.30 of plain`. */
export function shown(
  values: readonly number[],
  { unit, base, of }: { readonly unit: string; readonly base: number; readonly of: string },
): string {
  const each = values.map(digits).join(", ");
  return `${digits(median(values))} ${unit} (${each}), ${(median(values) / base).toFixed(2)} of ${of}`;
}

function digits(value: number): string {
  return value < 100 ? value.toPrecision(3) : value.toFixed(0);
}
