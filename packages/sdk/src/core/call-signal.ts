/** The abort signal of one call, made when somebody asks for it. */
import { PromiseTimedoutError } from "../errors.ts";
import type { Host } from "./host.ts";

export class CallSignal {
  readonly #host: Host;
  readonly #call: { readonly id: string; readonly timeoutAt: number };
  #signal: AbortSignal | undefined;
  #cancel: () => void = () => {};

  constructor(host: Host, call: { readonly id: string; readonly timeoutAt: number }) {
    this.#host = host;
    this.#call = call;
  }

  get(): AbortSignal {
    this.#signal ??= AbortSignal.any([this.#host.signal, this.#deadline()]);
    return this.#signal;
  }

  /** The call is over: its deadline is of no interest any more. */
  close(): void {
    this.#cancel();
  }

  #deadline(): AbortSignal {
    const { id: promiseId, timeoutAt } = this.#call;
    const { clock } = this.#host;
    const controller = new AbortController();
    const expire = () => controller.abort(new PromiseTimedoutError({ promiseId, timeoutAt }));
    this.#cancel = clock.background(Math.max(0, timeoutAt - clock.now()), expire);
    return controller.signal;
  }
}
