/**
 * The stream of messages from a server to one process. It is opened again whenever it breaks, for as long as
 * the process wants it.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Message } from "@resonate-ts/protocol";
import { createParser } from "eventsource-parser";
import type { Dispatcher } from "undici";
import type { Logger } from "../logger.ts";
import { systemClock } from "../worker/system-clock.ts";
import { backoffMs, pause } from "./backoff.ts";
import type { Reachability } from "./reachability.ts";
import type { ServerTime } from "./server-time.ts";

/** Below the grace that a server gives before it takes the tasks of a process whose stream closed (1 s). */
const BACKOFF = { firstMs: 100, mostMs: 5_000 };
/** A stream that lasted this long was a good one: the next wait is the shortest again. */
const GOOD_MS = 1_000;
/** Silence after which a stream is dead. Our server says something every 15 s; others may never. */
const SILENCE_MS = 45_000;
const SILENCE_OF_OTHERS_MS = 300_000;
/** Longest message, in characters: a payload of the largest size, with room for its envelope. */
const MESSAGE_LENGTH_MAX = 16_777_216;

export interface MessageStreamOptions {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  /** `/poll/{group}/{pid}`, below the path of the server. */
  readonly path: string;
  readonly token?: string | undefined;
  /** Longest wait for the server to begin its answer, in ms. */
  readonly timeoutMs: number;
  /** Whether to ask for the extension of leases that know the connection. */
  readonly lease: boolean;
  readonly logger: Logger;
  readonly reachability: Reachability;
  /** Told the date of each answer. */
  readonly time: Pick<ServerTime, "heard">;
  /** The stream is there. Gets the `Resonate-Extensions` header, and tells whether the server has any. */
  readonly opened: (extensions: string | string[] | undefined) => boolean;
  readonly receive: (message: Message) => void;
}

export class MessageStream {
  readonly #options: MessageStreamOptions;
  /** Tells this run of the process from one before it that had the same pid. */
  readonly #incarnation = randomUUID();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: MessageStreamOptions) {
    this.#options = options;
  }

  /** Resolves when the stream is open, or the first attempt to open it has failed. Never rejects. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#running ??= this.#keepOpen(resolve);
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #keepOpen(firstTried: () => void): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 1; !signal.aborted; failures++) {
      const startedAt = performance.now();
      await this.#follow(firstTried).catch((error: unknown) => {
        if (!signal.aborted) this.#options.reachability.lost(error);
      });
      firstTried();
      if (performance.now() - startedAt > GOOD_MS) failures = 1;
      await pause(backoffMs(BACKOFF, failures), signal);
    }
  }

  /** Opens the stream and reads it to its end. */
  async #follow(opened: () => void): Promise<void> {
    const { dispatcher, origin, path, timeoutMs, token, lease, reachability, time } = this.#options;
    const silence = new AbortController();
    const askedAt = systemClock.now();
    const reply = await dispatcher.request({
      origin,
      path,
      method: "GET",
      headers: {
        accept: "text/event-stream",
        "cache-control": "no-cache",
        // Asks for the short grace: this client is back within it.
        ...(lease && {
          "resonate-extensions": "lease",
          "resonate-incarnation": this.#incarnation,
        }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      headersTimeout: timeoutMs,
      bodyTimeout: 0,
      signal: AbortSignal.any([this.#stopping.signal, silence.signal]),
    });
    time.heard(reply.headers["date"], { askedAt, receivedAt: systemClock.now() });
    if (reply.statusCode !== 200) {
      throw new Error(`it refused the stream of messages: ${await refusalOf(reply, timeoutMs)}`);
    }
    reachability.found();
    const ours = this.#options.opened(reply.headers["resonate-extensions"]);
    opened();
    const silenceMs = ours ? SILENCE_MS : SILENCE_OF_OTHERS_MS;
    const watch = setTimeout(
      () => silence.abort(new Error(`its stream of messages was silent for ${silenceMs} ms`)),
      silenceMs,
    ).unref();
    try {
      await this.#read(reply.body, watch);
    } finally {
      clearTimeout(watch);
    }
  }

  async #read(body: Dispatcher.ResponseData["body"], watch: NodeJS.Timeout): Promise<void> {
    const parser = createParser({
      maxBufferSize: MESSAGE_LENGTH_MAX,
      onEvent: ({ data }) => this.#receive(data),
    });
    for await (const chunk of body.setEncoding("utf8")) {
      watch.refresh();
      parser.feed(chunk);
    }
  }

  #receive(data: string): void {
    const { logger, receive } = this.#options;
    const message = parseMessage(data);
    if (message) receive(message);
    else logger.warn({ data: data.slice(0, 200) }, "A message from the server was not understood.");
  }
}

/** Reads one message; `undefined` when it is none that this client knows. */
function parseMessage(data: string): Message | undefined {
  try {
    const parsed: unknown = JSON.parse(data);
    if (!has(parsed, "kind") || !has(parsed, "data")) return undefined;
    const id = parsed.kind === "execute" ? idOf(parsed.data, "task") : idOf(parsed.data, "promise");
    const known = parsed.kind === "execute" || parsed.kind === "unblock";
    // The parts that are read from were just looked at.
    return known && id !== undefined ? (parsed as unknown as Message) : undefined;
  } catch {
    return undefined;
  }
}

function idOf(data: unknown, name: string): string | undefined {
  const record = has(data, name) ? data[name] : undefined;
  return has(record, "id") && typeof record.id === "string" ? record.id : undefined;
}

function has<N extends string>(value: unknown, name: N): value is Readonly<Record<N, unknown>> {
  return typeof value === "object" && value !== null && name in value;
}

/** A refusal whose text never ends must not keep the stream from being tried again. */
async function refusalOf(
  { statusCode, body }: Dispatcher.ResponseData,
  timeoutMs: number,
): Promise<string> {
  const late = wait(timeoutMs, "", { ref: false });
  const text = await Promise.race([body.text().catch(() => ""), late]);
  body.destroy();
  return `${statusCode} ${text.slice(0, 200)}`.trim();
}
