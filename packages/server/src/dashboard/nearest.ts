/** Names that somebody may have meant. */

/** Longer names are not compared: the work grows with the product of both lengths. */
const LENGTH_MAX = 100;

/** The name that is most like `name`, if one is so much like it that a slip of the fingers explains it. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  // One slip in three characters, and one always.
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const other of names) {
    if (other === name || Math.max(other.length, name.length) > LENGTH_MAX) continue;
    const distance = editDistance(name.toLowerCase(), other.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    best = other;
  }
  return best;
}

/**
 * How many characters have to be added, left out, changed, or swapped with their neighbour (optimal string alignment).
 */
export function editDistance(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1];
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row[j] = Math.min(
        cell(last, j) + 1,
        cell(row, j - 1) + 1,
        cell(last, j - 1) + (same ? 0 : 1),
        swapped ? cell(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = last;
    last = row;
  }
  return cell(last, other.length);
}

function cell(row: readonly number[], at: number): number {
  return row[at] ?? Number.POSITIVE_INFINITY;
}
