/** The server's clock, as far as its answers tell. Durations of what goes on are shown by it. */

let aheadMs = 0;

/** Called with the instant in an answer that has just come. */
export function noteServerTime(at: number): void {
  aheadMs = at - Date.now();
}

export function serverNow(): number {
  return Date.now() + aheadMs;
}
