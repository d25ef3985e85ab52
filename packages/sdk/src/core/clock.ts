/** The port to time. The core takes no other clock and sets no other timer. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once, `ms` from now; keeps the process alive until then. The returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** As `after`, but does not keep the process alive. */
  background(ms: number, callback: () => void): () => void;
  /**
   * As `after`, for what is looked at again and again whether anything happened or not. A simulated clock may do it less
   * often while nothing happens. Default `after`.
   */
  upkeep?(ms: number, callback: () => void): () => void;
  /** Calls back when everything that can go on by itself in this turn of the event loop has gone on. */
  turn(callback: () => void): void;
}
