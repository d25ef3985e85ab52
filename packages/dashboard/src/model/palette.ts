/** Which colour a worker has: the first that is free, in the order in which workers are met, for as long as the page is open. */

/** As many as can be told apart beside the colours of states; then they repeat. */
export const WORKER_COLOURS = 8;

const places = new Map<string, number>();

/** A number from 1 to `WORKER_COLOURS`, the same for the same worker. */
export function workerColour(worker: string): number {
  const known = places.get(worker);
  if (known !== undefined) return known;
  const place = (places.size % WORKER_COLOURS) + 1;
  places.set(worker, place);
  return place;
}
