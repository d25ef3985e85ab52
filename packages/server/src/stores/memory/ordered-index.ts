/**
 * Keys in order. Adding, removing and finding one cost a logarithm and a move within one chunk, whatever the number
 * of keys.
 *
 * I1. Chunks are in order, and so are the keys in each; only the only chunk may be empty.
 */

/** A chunk with more keys is split: moving this many references takes less than a microsecond. */
const CHUNK_MAX = 512;

export class OrderedIndex<K> {
  readonly #compare: (one: K, other: K) => number;
  readonly #chunks: K[][] = [[]];

  /** `compare` is negative when `one` comes first, and 0 when both are the same key. */
  constructor(compare: (one: K, other: K) => number) {
    this.#compare = compare;
  }

  /** Adds a key, unless it is there. */
  add(key: K): void {
    const at = this.#chunkFor(key);
    const chunk = this.#chunks[at] ?? [];
    const place = this.#placeIn(chunk, key);
    const there = chunk[place];
    if (there !== undefined && this.#compare(there, key) === 0) return;
    chunk.splice(place, 0, key);
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_MAX / 2));
  }

  /** Removes a key, if it is there. */
  delete(key: K): void {
    const at = this.#chunkFor(key);
    const chunk = this.#chunks[at] ?? [];
    const place = this.#placeIn(chunk, key);
    const there = chunk[place];
    if (there === undefined || this.#compare(there, key) !== 0) return;
    chunk.splice(place, 1);
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(at, 1);
  }

  /** The keys that come after `key` (all of them without one), in order. Not to be changed meanwhile. */
  after(key?: K): Generator<K, void> {
    return this.#range(key, (next) => key === undefined || this.#compare(next, key) > 0);
  }

  /** As `after`, with `key` itself if it is there. */
  from(key: K): Generator<K, void> {
    return this.#range(key, () => true);
  }

  /** From the place of `key` on, those that are wanted. */
  *#range(key: K | undefined, wanted: (next: K) => boolean): Generator<K, void> {
    const first = key === undefined ? 0 : this.#chunkFor(key);
    for (let at = first; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] ?? [];
      let place = key === undefined || at > first ? 0 : this.#placeIn(chunk, key);
      for (; place < chunk.length; place++) {
        const next = chunk[place] as K; // It is within the chunk.
        if (wanted(next)) yield next;
      }
    }
  }

  /** The first chunk that ends at or after `key`, else the last one. */
  #chunkFor(key: K): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const last = this.#chunks[middle]?.at(-1);
      if (last !== undefined && this.#compare(last, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where `key` is in the chunk, or belongs. */
  #placeIn(chunk: readonly K[], key: K): number {
    let low = 0;
    let high = chunk.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      // It is within the chunk.
      if (this.#compare(chunk[middle] as K, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Texts in the order of their UTF-8 bytes, which is that of SQLite. */
export function byBytes(one: string, other: string): number {
  if (one === other) return 0;
  // Code units order as code points do, but for those from the surrogates up.
  if (ABOVE.test(one) && ABOVE.test(other)) {
    return Buffer.compare(Buffer.from(one), Buffer.from(other));
  }
  return one < other ? -1 : 1;
}

const ABOVE = /[\ud800-\uffff]/;
