/**
 * Lets a call go on when the deadline of one of its own steps passes while that step still runs.
 *
 * The local clock only says when to ask: whether the deadline has passed is the server's to say.
 */
import type { Cell } from "../future.ts";
import type { Recorded } from "../journal/journal.ts";
import type { Host } from "./host.ts";
import { goOn } from "./starter.ts";

/** How soon it is asked again, in ms, where the server's clock is behind. */
const AGAIN_MS = 1_000;

/** Settles the cell with what is on record once the deadline has passed. Gives how to stop watching. */
export function watchDeadline(
  host: Host,
  cell: Cell,
  { id, timeoutAt }: Pick<Recorded, "id" | "timeoutAt">,
): () => void {
  let cancel = () => {};
  const ask = () => {
    // What waits for others goes on when they do.
    if (cell.phase !== "running") return;
    goOn(host, host.journal.read([id]), ([promise]) => {
      if (!promise || promise.state === "pending") return wait(AGAIN_MS);
      goOn(host, host.journal.outcomeOf(promise), (outcome) => {
        if (outcome) host.cascade(() => cell.settle(outcome));
      });
    });
  };
  const wait = (ms: number) => {
    cancel = host.background(ms, ask);
  };
  wait(Math.max(0, timeoutAt - host.clock.now()));
  return () => cancel();
}
