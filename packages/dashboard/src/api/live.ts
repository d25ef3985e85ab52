/**
 * The stream of events that keeps the page up to date, opened again whenever it breaks. It is read with `fetch`, because
 * an `EventSource` cannot carry a token.
 */
import type { DashboardEvent } from "@resonate-ts/protocol";
import { createParser } from "eventsource-parser";
import { apiUrl } from "./read.ts";
import { refused } from "./refusal.ts";
import { authorization } from "./token.ts";

export type LiveStatus =
  | { readonly kind: "connecting" }
  | { readonly kind: "open" }
  /** It is tried again at `nextAt`, by this machine's clock. */
  | { readonly kind: "down"; readonly nextAt: number };

export type LiveListener = (event: DashboardEvent) => void;

const PAUSE_MIN_MS = 250;
const PAUSE_MAX_MS = 8_000;

export class Live {
  readonly #id: string | undefined;
  readonly #listeners = new Set<LiveListener>();
  readonly #watchers = new Set<() => void>();
  readonly #end = new AbortController();
  #status: LiveStatus = { kind: "connecting" };
  #failures = 0;
  /** There is no such run (yet): what is new everywhere is listened to, until it is among that. */
  #absent = false;
  #stream = new AbortController();
  #retry: (() => void) | undefined;

  /** With `id`, changes of the run it belongs to are among the events. */
  constructor(id?: string) {
    this.#id = id;
  }

  get status(): LiveStatus {
    return this.#status;
  }

  /** Keeps a stream open until `close`. */
  async run(): Promise<void> {
    while (!this.#end.signal.aborted) {
      await this.#open().catch(() => {});
      if (this.#end.signal.aborted) return;
      await this.#pause();
    }
  }

  close(): void {
    this.#end.abort();
    this.#stream.abort();
    this.#retry?.();
  }

  /** Tries at once, in place of at the next time. */
  retryNow(): void {
    this.#retry?.();
  }

  listen(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Told of every change of `status`. */
  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  /**
   * Calls back whenever everything has to be read (again): at first, when the stream has been opened again, and when the
   * server says so. What happens after that is told by events.
   */
  whenStale(readAll: () => void): () => void {
    let answered = false;
    const look = () => {
      // Without a stream an answer is still better than nothing, but once is enough.
      if (this.#status.kind === "open" || (this.#status.kind === "down" && !answered)) {
        answered = true;
        readAll();
      }
    };
    look();
    const ends = [this.watch(look), this.listen(({ event }) => event === "reset" && readAll())];
    return () => ends.forEach((end) => void end());
  }

  async #open(): Promise<void> {
    const headers = { Accept: "text/event-stream", ...authorization() };
    const url = apiUrl("events", { id: this.#absent ? undefined : this.#id });
    this.#stream = new AbortController();
    const response = await fetch(url, { headers, signal: this.#stream.signal });
    if (response.status === 404 && !this.#absent) {
      this.#absent = true;
      return this.#open();
    }
    if (!response.ok || !response.body) throw refused(response.status, "no events");
    this.#failures = 0;
    this.#become({ kind: "open" });
    const parser = createParser({ onEvent: ({ event, data }) => this.#tell(event, data) });
    const text = response.body.pipeThrough(new TextDecoderStream());
    for (const reader = text.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(value);
    }
  }

  #tell(event: string | undefined, data: string): void {
    // The server's own words: an event of this interface and its data.
    const told = { event, data: JSON.parse(data) } as DashboardEvent;
    for (const listener of this.#listeners) listener(told);
    if (
      this.#absent &&
      told.event === "executions" &&
      told.data.some(({ id }) => id === this.#id)
    ) {
      this.#absent = false;
      this.#stream.abort();
    }
  }

  #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const pauseMs = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** this.#failures++);
    const timer = setTimeout(resolve, pauseMs);
    this.#retry = () => {
      clearTimeout(timer);
      resolve();
    };
    this.#become({ kind: "down", nextAt: Date.now() + pauseMs });
    return promise;
  }

  #become(status: LiveStatus): void {
    this.#status = status;
    for (const watcher of this.#watchers) watcher();
  }
}
