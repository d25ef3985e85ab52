/** The abort signal of one call, made when somebody asks for it. */
import { PromiseTimedoutError } from "../errors.ts";
import type { Host } from "./host.ts";

export class CallSignal {
  readonly #host: Host;
  readonly #call: { readonly id: string; readonly timeoutAt: number };
  #signal: AbortSignal | undefined;
  #cancel: () => void = () => {};
  /** Made when somebody asks: most calls never do, and there is one for every step. */
  #own: AbortController | undefined;
  /** Fired before anybody asked. */
  #fired: { readonly reason: unknown } | undefined;

  constructor(host: Host, call: { readonly id: string; readonly timeoutAt: number }) {
    this.#host = host;
    this.#call = call;
  }

  get(): AbortSignal {
    this.#signal ??= AbortSignal.any([this.#host.signal, this.#deadline()]);
    return this.#signal;
  }

  /** Fires it. */
  abort(reason: unknown): void {
    this.#fired ??= { reason };
    this.#own?.abort(reason);
  }

  /** The call is over: its deadline is of no interest any more. */
  close(): void {
    this.#cancel();
  }

  #deadline(): AbortSignal {
    const { id: promiseId, timeoutAt } = this.#call;
    const { clock, signal: givenUp } = this.#host;
    const expire = () => this.abort(new PromiseTimedoutError({ promiseId, timeoutAt }));
    const cancel = clock.background(Math.max(0, timeoutAt - clock.now()), expire);
    // A call that is given up is never over, and its deadline may be a day away.
    givenUp.addEventListener("abort", cancel, { once: true });
    this.#cancel = () => {
      givenUp.removeEventListener("abort", cancel);
      cancel();
    };
    this.#own = new AbortController();
    if (this.#fired) this.#own.abort(this.#fired.reason);
    return this.#own.signal;
  }
}
