/** Runs `work` after everything that this turn of the event loop still does, but before its next one. */
export function endOfTurn(work: () => void): void {
  // A tick that is asked for in a microtask runs when no microtask is left.
  queueMicrotask(() => process.nextTick(work));
}
