/** Reading a lot without keeping others waiting: part by part, with room for everything else between two parts. */

/** Most promises that one part reads: some milliseconds. */
export const PART = 500;

/** Lets all that is waiting go first. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
