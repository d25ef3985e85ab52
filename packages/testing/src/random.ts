/** Random numbers that a seed repeats. */

/** From 0 up to 1. */
export type Random = () => number;

/** The sequence of a seed (the generator known as mulberry32): small, fast, and good enough to choose faults with. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    const again = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((again ^ (again >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed for a part of what `seed` stands for, so that what one part draws does not shift what others draw. */
export function derived(seed: number, part: string): number {
  let hash = seed | 0;
  for (const char of part) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x9e3779b1);
  return hash;
}
