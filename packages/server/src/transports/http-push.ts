/**
 * Messages to `http://` and `https://` addresses: one POST each.
 *
 * I1. No connection is made but to an address that the guard has judged; redirects are not followed.
 * I2. A token goes to the hosts it is meant for and to no other; where it cannot be had, nothing is sent.
 * I3. One endpoint has at most half of all places, so that one that hangs does not keep others waiting.
 */
import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Message } from "@resonate-ts/protocol";
import type { Agent, request } from "undici";
import type { Logger } from "../logger.ts";
import type { Pusher } from "./router.ts";
import { hostOf, TargetGuard, type TargetGuardOptions } from "./target-guard.ts";

/** Most messages that wait for a place. Those beyond are dropped, and come again by their retry time-out. */
export const WAITING_MAX = 10_000;

export interface HttpPushOptions extends TargetGuardOptions {
  readonly logger: Logger;
  /** Longest time to connect, in ms. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Longest time from the request to the end of the answer, in ms. Default 180,000: workers may work within it. */
  readonly requestTimeoutMs?: number | undefined;
  /** Most requests at a time. Default 256. */
  readonly concurrency?: number | undefined;
  /** Called with the end of each delivery, for metrics. Must not throw. */
  readonly delivered?: ((status: DeliveryStatus) => void) | undefined;
  /** Default: none. */
  readonly auth?: PushAuth | undefined;
  /** How names are looked up. Default: as the machine does. */
  readonly lookup?: typeof lookup | undefined;
}

/** How a delivery ended: taken, not taken or not allowed, or not tried (too many wait, or the end of the server). */
export type DeliveryStatus = "success" | "error" | "dropped";

export type PushAuth =
  | { readonly mode: "none" }
  | {
      readonly mode: "bearer";
      /** The token, or who gives it; asked for each message. */
      readonly token: string | (() => string | Promise<string>);
      /** The hosts it is sent to (`HOST` or `HOST:PORT`). Others are called without it. */
      readonly hosts: readonly string[];
      /** Default `Authorization`. */
      readonly header?: string | undefined;
    };

/** What sends requests. */
interface Client {
  readonly agent: Agent;
  readonly request: typeof request;
}

interface Job {
  readonly url: URL;
  readonly message: Message;
  readonly done: (taken: boolean) => void;
}

/** What one endpoint has to do. */
interface Endpoint {
  active: number;
  readonly waiting: Job[];
}

export class HttpPush implements Pusher {
  readonly #options: HttpPushOptions;
  readonly #guard: TargetGuard;
  /** Loaded with the first message: most servers push none, and it takes as long to load as the rest of them. */
  #client: Promise<Client> | undefined;
  readonly #closing = new AbortController();
  readonly #activeMax: number;
  readonly #requestTimeoutMs: number;
  /** By origin, those that were served longest ago first. */
  readonly #endpoints = new Map<string, Endpoint>();
  /** The same message to the same place is sent once at a time. */
  readonly #underWay = new Map<string, Promise<boolean>>();
  #active = 0;
  #waiting = 0;
  #overflowed = false;

  /** @throws TypeError for an entry of `allowTargets` that cannot be read. */
  constructor(options: HttpPushOptions) {
    const { requestTimeoutMs = 180_000, concurrency = 256 } = options;
    this.#options = options;
    this.#guard = new TargetGuard(options);
    this.#activeMax = concurrency;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  push(address: string, message: Message): Promise<boolean> {
    const key = `${address}\n${nameOf(message)}`;
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    if (this.#closing.signal.aborted || this.#isFull()) {
      this.#options.delivered?.("dropped");
      return Promise.resolve(false);
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const done = (taken: boolean) => {
      this.#underWay.delete(key);
      resolve(taken);
    };
    this.#underWay.set(key, promise);
    this.#enqueue({ url: new URL(address), message, done });
    this.#next();
    return promise;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const { waiting } of this.#endpoints.values()) {
      for (const { done } of waiting.splice(0)) {
        this.#options.delivered?.("dropped");
        done(false);
      }
    }
    await (await this.#client)?.agent.destroy();
  }

  #isFull(): boolean {
    const full = this.#waiting >= WAITING_MAX;
    // Said once until there is room again.
    if (full && !this.#overflowed) {
      this.#options.logger.warn(
        { waiting: this.#waiting },
        "messages are pushed later: too many wait; more concurrency for pushes, or faster endpoints, would help",
      );
    }
    this.#overflowed = full;
    return full;
  }

  #enqueue(job: Job): void {
    const { origin } = job.url;
    const endpoint = this.#endpoints.get(origin) ?? { active: 0, waiting: [] };
    endpoint.waiting.push(job);
    this.#waiting++;
    this.#endpoints.set(origin, endpoint);
  }

  /** Sends what there is a place for, one endpoint after the other. */
  #next(): void {
    const perEndpoint = Math.max(1, Math.floor(this.#activeMax / 2));
    for (const [origin, endpoint] of this.#endpoints) {
      if (this.#active >= this.#activeMax) return;
      if (endpoint.active >= perEndpoint) continue;
      const job = endpoint.waiting.shift();
      if (!job) continue;
      this.#waiting--;
      // It goes to the end of the line, where this loop finds it again while it has more.
      this.#endpoints.delete(origin);
      this.#endpoints.set(origin, endpoint);
      void this.#run(job, origin, endpoint);
    }
  }

  async #run(job: Job, origin: string, endpoint: Endpoint): Promise<void> {
    endpoint.active++;
    this.#active++;
    const taken = await this.#attempt(job);
    endpoint.active--;
    this.#active--;
    const untaken = this.#closing.signal.aborted ? "dropped" : "error";
    this.#options.delivered?.(taken ? "success" : untaken);
    if (endpoint.active + endpoint.waiting.length === 0) this.#endpoints.delete(origin);
    job.done(taken);
    if (!this.#closing.signal.aborted) this.#next();
  }

  async #attempt({ url, message }: Job): Promise<boolean> {
    // Paths and queries of such URLs often are secrets.
    const fields = { to: url.origin, message: nameOf(message) };
    const { logger } = this.#options;
    let authorization: Readonly<Record<string, string>>;
    try {
      this.#guard.check(url);
      authorization = await this.#authorization(url);
    } catch (error) {
      logger.error({ ...fields, error }, "a message was not pushed; it is tried again");
      return false;
    }
    try {
      const status = await this.#post(url, message, authorization);
      if (status >= 200 && status < 300) return true;
      logger.warn({ ...fields, status }, "a pushed message was not taken; it is tried again");
    } catch (error) {
      if (this.#closing.signal.aborted) return false;
      logger.warn({ ...fields, error }, "a message could not be pushed; it is tried again");
    }
    return false;
  }

  async #post(
    url: URL,
    message: Message,
    authorization: Readonly<Record<string, string>>,
  ): Promise<number> {
    const signals = [this.#closing.signal, AbortSignal.timeout(this.#requestTimeoutMs)];
    this.#client ??= this.#load();
    const { agent, request } = await this.#client;
    const { statusCode, body } = await request(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "resonate", ...authorization },
      body: JSON.stringify(message),
      dispatcher: agent,
      signal: AbortSignal.any(signals),
    });
    // What it says does not matter, but the connection can be used again.
    await body.dump();
    return statusCode;
  }

  async #load(): Promise<Client> {
    const { Agent, request } = await import("undici");
    const timeout = this.#options.connectTimeoutMs ?? 10_000;
    const guarded = guardedLookup(this.#guard, this.#options.lookup ?? lookup);
    const agent = new Agent({
      connect: { timeout, lookup: guarded },
      headersTimeout: this.#requestTimeoutMs,
      bodyTimeout: this.#requestTimeoutMs,
    });
    return { agent, request };
  }

  async #authorization(url: URL): Promise<Readonly<Record<string, string>>> {
    const { auth } = this.#options;
    if (auth?.mode !== "bearer") return {};
    const isMeant = auth.hosts.some((host) => [url.host, hostOf(url)].includes(host.toLowerCase()));
    if (!isMeant) return {};
    const token = typeof auth.token === "string" ? auth.token : await auth.token();
    if (!token) throw new Error("there is no token to send; nothing is sent without it");
    return { [auth.header ?? "Authorization"]: `Bearer ${token}` };
  }
}

/** Looks a name up and leaves what may be called: whoever connects connects to that. */
function guardedLookup(guard: TargetGuard, resolve: typeof lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      try {
        const allowed = guard.filter(hostname, addresses);
        const [first] = allowed;
        if (options.all) callback(null, [...allowed]);
        else callback(null, first?.address ?? "", first?.family);
      } catch (refused) {
        callback(refused instanceof Error ? refused : new Error(String(refused)), []);
      }
    });
  };
}

function nameOf({ kind, data }: Message): string {
  return "task" in data
    ? `${kind} ${data.task.id} ${data.task.version}`
    : `${kind} ${data.promise.id}`;
}
