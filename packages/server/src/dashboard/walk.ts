/** Reading a lot without keeping others waiting: part by part, with room for everything else between two parts. */

/** Most promises that one part reads: some milliseconds. */
export const PART = 500;

/** Lets all that is waiting go first. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** All parts that `read` gives, from the place after which each one goes on; ends with one that is not full. */
export async function* parts<T>(
  read: (after: number) => Promise<readonly T[]>,
  placeOf: (one: T) => number,
): AsyncGenerator<readonly T[], void> {
  for (let after = 0; ; ) {
    const part = await read(after);
    if (part.length > 0) yield part;
    const last = part.at(-1);
    if (last === undefined || part.length < PART) return;
    after = placeOf(last);
    await turn();
  }
}
