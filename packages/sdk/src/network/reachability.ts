/** Says once that the server is away, and once that it is back, however many requests notice. */
import { reasonOf } from "../errors.ts";
import type { Logger } from "../logger.ts";

export class Reachability {
  readonly #url: string;
  readonly #logger: Logger;
  #away = false;

  constructor(url: string, logger: Logger) {
    this.#url = url;
    this.#logger = logger;
  }

  lost(cause: unknown): void {
    if (this.#away) return;
    this.#away = true;
    const reason = reasonOf(cause);
    this.#logger.warn(
      { url: this.#url, reason },
      `No usable answer from a Resonate server at ${this.#url} (${reason}). Trying again; start one there, or give another address by the option 'url' or RESONATE_URL.`,
    );
  }

  found(): void {
    if (!this.#away) return;
    this.#away = false;
    this.#logger.warn({ url: this.#url }, `The Resonate server at ${this.#url} answers again.`);
  }
}
