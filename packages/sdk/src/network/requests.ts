/**
 * Gets requests answered: sends them together where the server takes batches, and again until one answer
 * comes.
 *
 * I1: requests are applied in the order in which they were sent, as far as they concern the same tree. With
 * batches there is one in flight at a time and what comes meanwhile goes into the next; without, the
 * requests of one tree follow each other. Heartbeats have no order and wait for nothing.
 * I2: every request that was taken ends: answered, or `ServerUnreachableError` once it has been tried for
 * `giveUpMs`.
 */
import {
  isRefusal,
  originOf,
  type Refusal,
  type Request,
  type RequestKind,
  type Response,
} from "@resonate-ts/protocol";
import type { Clock } from "../core/clock.ts";
import { ResonateError, ServerUnreachableError } from "../errors.ts";
import { systemClock } from "../worker/system-clock.ts";
import { type HttpReply, type Outcome, readBatchReply, readReply } from "./answers.ts";
import { backoffMs, pause } from "./backoff.ts";
import type { Reachability } from "./reachability.ts";
import { recover } from "./recover.ts";

/** Most requests of one batch, as servers take them. */
const BATCH_ENTRIES_MAX = 1_000;
/** Most bytes of one batch: servers take 2 MiB, and this leaves room for one more request that is large. */
const BATCH_BYTES_MAX = 1_572_864;
const BACKOFF = { firstMs: 50, mostMs: 2_000 };

export interface RequestsOptions {
  /** Sends one body and reads the reply to its end. Rejects when there is none. */
  readonly post: (body: string) => Promise<HttpReply>;
  /** Whether the server takes batches; `undefined` until it has answered once. */
  readonly batches: () => boolean | undefined;
  /** Told of every exchange that failed and of every one that did not. */
  readonly reachability: Pick<Reachability, "lost" | "found">;
  /** Names the server in errors. */
  readonly url: string;
  readonly token?: string | undefined;
  /** How long a request is tried, in ms. */
  readonly giveUpMs: number;
  /** Default the machine's. */
  readonly time?: RequestTime;
}

/** The time that retries take. */
export interface RequestTime extends Pick<Clock, "after" | "turn"> {
  /** Milliseconds since whenever. */
  now(): number;
  /** From 0 up to 1; spreads the retries of processes that lost the same server. */
  random(): number;
}

const machineTime: RequestTime = {
  ...systemClock,
  now: () => performance.now(),
  random: Math.random,
};

interface Entry {
  /** With its body, made anew where it is sent again in other words. */
  request: Request;
  body: string;
  bytes: number;
  readonly again: (() => Request) | undefined;
  readonly giveUpAt: number;
  readonly resolve: (answer: Response | Refusal) => void;
  readonly reject: (error: unknown) => void;
  /** How often it has been sent. */
  sent: number;
}

/**
 * Sends requests over anything that carries a text there and one back: what `HttpNetwork` is built on, for
 * networks of your own.
 */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #time: RequestTime;
  readonly #queue: Entry[] = [];
  /** The last request of each tree, while requests are sent one by one. */
  readonly #tails = new Map<string, Promise<void>>();
  readonly #open = new Set<Promise<unknown>>();
  readonly #stopping = new AbortController();
  #draining = false;

  constructor(options: RequestsOptions) {
    this.#options = options;
    this.#time = options.time ?? machineTime;
  }

  send<K extends RequestKind>(
    request: Request<K>,
    again?: () => Request<K>,
  ): Promise<Response<K> | Refusal> {
    if (this.#stopping.signal.aborted) return Promise.reject(stopped(request));
    const answer = new Promise<Response | Refusal>((resolve, reject) => {
      const giveUpAt = this.#time.now() + this.#options.giveUpMs;
      const words = this.#words(request);
      this.#accept({ ...words, again, giveUpAt, resolve, reject, sent: 0 });
    });
    const done = () => this.#open.delete(answer);
    this.#open.add(answer);
    answer.then(done, done);
    // Only an answer of the request's own kind is taken for one.
    return answer as Promise<Response<K> | Refusal>;
  }

  /** Sends nothing a second time from now on. Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    while (this.#open.size > 0) await Promise.allSettled(this.#open);
  }

  /** A request as it is sent. */
  #words(request: Request): Pick<Entry, "request" | "body" | "bytes"> {
    const { token } = this.#options;
    const head = token === undefined ? request.head : { ...request.head, auth: token };
    const body = JSON.stringify({ kind: request.kind, head, data: request.data });
    return { request, body, bytes: Buffer.byteLength(body) };
  }

  #accept(entry: Entry): void {
    if (entry.request.kind === "task.heartbeat") {
      void this.#sendAlone(entry);
      return;
    }
    this.#queue.push(entry);
    if (!this.#draining) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    while (this.#queue.length > 0) {
      // What is sent in one turn of the event loop travels together.
      await new Promise<void>((resolve) => this.#time.turn(resolve));
      const batches = this.#options.batches();
      if (batches === false) {
        for (const entry of this.#queue.splice(0)) this.#sendInTurn(entry);
      } else {
        await Promise.all(this.#tails.values());
        // Until the server has answered once, nobody knows what it takes.
        await this.#sendTogether(takeFrom(this.#queue, batches ? BATCH_ENTRIES_MAX : 1));
      }
    }
    this.#draining = false;
  }

  async #sendTogether(entries: readonly Entry[]): Promise<void> {
    let left = entries;
    for (let failures = 1; left.length > 0; failures++) {
      const outcome = await this.#exchange(left);
      switch (outcome.kind) {
        case "answered":
          left.forEach((entry, i) => void this.#deliver(entry, outcome.answers[i]));
          return;
        case "split":
          for (const entry of left) await this.#sendAlone(entry);
          return;
        case "failed":
          left = left.filter((entry) => this.#mayGoOn(entry, outcome.cause));
          for (const entry of left)
            if (entry.again) Object.assign(entry, this.#words(entry.again()));
          await this.#pause(failures);
      }
    }
  }

  /** After what the same tree sent before. */
  #sendInTurn(entry: Entry): void {
    const tree = treeOf(entry.request);
    const tail = (this.#tails.get(tree) ?? Promise.resolve()).then(() => this.#sendAlone(entry));
    this.#tails.set(tree, tail);
    void tail.then(() => {
      if (this.#tails.get(tree) === tail) this.#tails.delete(tree);
    });
  }

  /** Never rejects: how it ends is told to who sent it. */
  async #sendAlone(entry: Entry): Promise<void> {
    await this.#sendTogether([entry]);
  }

  async #exchange(entries: readonly Entry[]): Promise<Outcome> {
    const { post, reachability } = this.#options;
    const [first] = entries;
    for (const entry of entries) entry.sent += 1;
    try {
      const outcome =
        entries.length === 1 && first
          ? readReply(first.request, await post(first.body))
          : readBatchReply(
              entries.map(({ request }) => request),
              await post(`[${entries.map(({ body }) => body).join(",")}]`),
            );
      if (outcome.kind === "failed") reachability.lost(outcome.cause);
      else reachability.found();
      return outcome;
    } catch (error) {
      reachability.lost(error);
      return { kind: "failed", cause: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  /** One of a batch that has no answer yet is sent on, out of its place: the others have been applied. */
  async #deliver(entry: Entry, answer: Response | Refusal | undefined): Promise<void> {
    if (!answer) {
      await this.#pause(entry.sent);
      if (this.#mayGoOn(entry, new Error("it answered that it cannot serve this now"))) {
        await this.#sendAlone(entry);
      }
    } else if (isRefusal(answer)) {
      const send: Requests["send"] = (request) => this.send(request);
      recover(entry.request, answer, send).then(entry.resolve, entry.reject);
    } else {
      entry.resolve(answer);
    }
  }

  #pause(failures: number): Promise<void> {
    return pause(
      backoffMs(BACKOFF, failures, () => this.#time.random()),
      this.#stopping.signal,
      this.#time,
    );
  }

  #mayGoOn(entry: Entry, cause: Error): boolean {
    if (this.#stopping.signal.aborted) entry.reject(stopped(entry.request, cause));
    else if (this.#time.now() < entry.giveUpAt) return true;
    else entry.reject(new ServerUnreachableError({ url: this.#options.url, cause }));
    return false;
  }
}

/** Takes the next batch off the queue; one request at least, however large. */
function takeFrom(queue: Entry[], entriesMax: number): readonly Entry[] {
  let count = 0;
  let bytes = 0;
  for (const entry of queue) {
    bytes += entry.bytes + 1;
    if (count > 0 && (count >= entriesMax || bytes > BATCH_BYTES_MAX)) break;
    count += 1;
  }
  return queue.splice(0, count);
}

/** The tree that a request is about: that of the task or promise which asks. */
function treeOf({ data }: Request): string {
  if ("awaiter" in data) return originOf(data.awaiter);
  if ("awaited" in data) return originOf(data.awaited);
  if ("id" in data) return originOf(data.id);
  return "action" in data ? originOf(data.action.data.id) : "";
}

function stopped(request: Request, cause?: unknown): ResonateError {
  return new ResonateError(
    "STOPPED",
    `${request.kind} was not sent: this client has been stopped.`,
    {
      cause,
    },
  );
}
