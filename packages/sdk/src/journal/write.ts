/** One fenced write, from being asked for to its answer. */
import type { PromiseRecord, RequestData } from "@resonate-ts/protocol";
import type { Mail } from "./outbox.ts";

export type FencedAction = RequestData["task.fence"]["action"];

export class Write implements Mail {
  readonly careful: boolean;
  readonly guess: boolean;
  readonly follows: boolean;
  readonly waits: boolean;
  ready = false;
  /** Present when it is ready, unless it could not be encoded. */
  action: FencedAction | undefined;
  /** What is on record then. */
  readonly answer: Promise<PromiseRecord>;
  readonly resolve: (promise: PromiseRecord) => void;
  readonly reject: (error: unknown) => void;
  readonly #post: (write: Write, follower: Write | undefined) => void;
  readonly #dropped: () => Error;

  constructor(parts: {
    readonly careful: boolean;
    readonly guess?: boolean;
    readonly follows?: boolean;
    readonly waits?: boolean;
    readonly post: (write: Write, follower: Write | undefined) => void;
    /** What to reject with when it is not sent any more. */
    readonly dropped: () => Error;
  }) {
    this.careful = parts.careful;
    this.guess = parts.guess ?? false;
    this.follows = parts.follows ?? false;
    this.waits = parts.waits ?? false;
    this.#post = parts.post;
    this.#dropped = parts.dropped;
    const { promise, resolve, reject } = Promise.withResolvers<PromiseRecord>();
    this.answer = promise;
    this.resolve = resolve;
    this.reject = reject;
  }

  send(follower: Mail | undefined): void {
    // Only writes follow others.
    if (this.action) this.#post(this, follower instanceof Write ? follower : undefined);
  }

  drop(): void {
    this.reject(this.#dropped());
  }
}
