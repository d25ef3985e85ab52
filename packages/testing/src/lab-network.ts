/**
 * The way from one process of a lab to its server. It batches, retries and recovers as the real network does
 * (`Requests` of the SDK); what it adds is what can go wrong on the way.
 *
 * I1. What is sent by a process that was killed is not applied, and what is sent to it does not arrive.
 * I2. Requests and messages are copied as JSON, so that nothing is shared but what the wire carries.
 */
import {
  anycast,
  type Message,
  type Refusal,
  type Request,
  type RequestKind,
  type Response,
  unicast,
} from "@resonate-ts/protocol";
import {
  type Clock,
  type Extension,
  type HttpReply,
  type Network,
  Requests,
} from "@resonate-ts/sdk";
import type { Activity } from "./activity.ts";
import type { Weather } from "./faults.ts";
import type { LabServer } from "./lab-server.ts";
import type { Random } from "./random.ts";

/** Longest wait for answers, in ms. */
const TIMEOUT_MS = 10_000;
/** How long requests are tried, in ms. */
const GIVE_UP_MS = 60_000;
/** Wait before a stream that broke is opened again, in ms, and the longest one. */
const REOPEN_MS_FIRST = 100;
const REOPEN_MS_MAX = 5_000;
/** Graces of the server for processes that know of the `lease` extension, and for others, in ms. */
const GRACE_MS = 1_000;
const GRACE_MS_OTHERS = 5_000;

/** Requests of one process as they reach the server, in one body. */
export interface Exchange {
  readonly process: string;
  readonly requests: readonly Request[];
}

/** What happens to an exchange instead of being applied and answered. */
export interface Interruption {
  /** How many of its requests are applied all the same. */
  readonly applied: number;
}

/** Sees what passes. */
export interface Tap {
  /** Requests arrive. What it gives is done: the process is killed there. */
  arriving?(exchange: Exchange): Interruption | undefined;
  /** Requests were applied and answered by the server. */
  applied?(exchange: Exchange, answers: readonly (Response | Refusal)[]): void;
  /** Answers have reached the process that sent the requests. */
  answered?(exchange: Exchange, answers: readonly (Response | Refusal)[]): void;
  /** A message reaches a process. */
  message?(process: string, message: Message): void;
}

export interface LabNetworkParts {
  readonly name: string;
  readonly group: string;
  /** Tells this run of the process from others. */
  readonly incarnation: string;
  readonly server: LabServer;
  readonly clock: Clock;
  readonly activity: Activity;
  readonly weather: Weather;
  readonly random: Random;
  readonly extensions: readonly Extension[];
  readonly tap: Tap;
  /** Kills the process that this network belongs to. */
  readonly kill: () => void;
}

export class LabNetwork implements Network {
  readonly unicast: string;
  readonly anycast: string;
  readonly extensions: ReadonlySet<Extension>;
  readonly #parts: LabNetworkParts;
  readonly #requests: Requests;
  readonly #receivers: ((message: Message) => void)[] = [];
  readonly #openings: (() => void)[] = [];
  #disconnect: (() => void) | undefined;
  #opens = 0;
  #state: "new" | "open" | "stopped" | "dead" = "new";

  constructor(parts: LabNetworkParts) {
    const { name, group, clock, random, extensions } = parts;
    this.#parts = parts;
    this.unicast = unicast(group, name);
    this.anycast = anycast(group, name);
    this.extensions = new Set(extensions);
    this.#requests = new Requests({
      post: (body) => this.#post(body),
      batches: () => this.extensions.has("batch"),
      reachability: { lost() {}, found() {} },
      url: "the server of this lab",
      giveUpMs: GIVE_UP_MS,
      time: {
        now: () => clock.now(),
        after: (ms, callback) => clock.background(ms, callback),
        turn: (callback) => clock.turn(callback),
        random,
      },
    });
  }

  match(target: string): string {
    return target.includes("://") ? target : anycast(target);
  }

  async init(): Promise<void> {
    if (this.#state !== "new") return;
    this.#state = "open";
    this.#open(REOPEN_MS_FIRST);
  }

  async stop(): Promise<void> {
    if (this.#state === "dead" || this.#state === "stopped") return;
    await this.#requests.stop();
    this.#state = "stopped";
    this.#disconnect?.();
  }

  send<K extends RequestKind>(
    request: Request<K>,
    again?: () => Request<K>,
  ): Promise<Response<K> | Refusal> {
    if (this.#state === "dead") return never();
    return this.#requests.send(request, again);
  }

  recv(receive: (message: Message) => void): void {
    this.#receivers.push(receive);
  }

  opened(callback: () => void): void {
    this.#openings.push(callback);
  }

  /** The process has been killed. */
  die(): void {
    this.#state = "dead";
    this.#disconnect?.();
  }

  #open(againMs: number): void {
    if (this.#state !== "open") return;
    const { server, clock, name, group, incarnation } = this.#parts;
    const stream = ++this.#opens;
    const again = () => {
      if (this.#opens !== stream) return;
      clock.background(againMs, () => this.#open(Math.min(againMs * 2, REOPEN_MS_MAX)));
    };
    this.#disconnect = server.connect({
      group,
      id: name,
      graceMs: this.extensions.has("lease") ? GRACE_MS : GRACE_MS_OTHERS,
      ...(this.extensions.has("lease") && { incarnation }),
      send: (message) => this.#opens === stream && this.#carry(message),
      closed: again,
    });
    if (!this.#disconnect) again();
    else for (const opened of this.#openings) opened();
  }

  /** Takes a message from the server to the process. */
  #carry(message: Message): boolean {
    if (this.#state !== "open") return false;
    const { clock, weather } = this.#parts;
    const { lost, delayMs, againMs } = weather.fate();
    if (lost) return true;
    const text = JSON.stringify(message);
    if (delayMs > 0) clock.background(delayMs, () => this.#deliver(text));
    else queueMicrotask(() => this.#deliver(text));
    if (againMs !== undefined) clock.background(delayMs + againMs, () => this.#deliver(text));
    return true;
  }

  #deliver(text: string): void {
    if (this.#state !== "open") return;
    const { activity, tap, name } = this.#parts;
    const message: Message = JSON.parse(text);
    activity.event();
    tap.message?.(name, message);
    for (const receive of this.#receivers) receive(message);
  }

  /** Takes a body to the server, and its answer back. */
  async #post(body: string): Promise<HttpReply> {
    const { weather } = this.#parts;
    const there = weather.fate();
    const back = weather.fate();
    await this.#delay(there.delayMs);
    if (there.lost) return this.#timeout();
    if (there.againMs !== undefined) void this.#repeat(body, there.againMs);
    const text = await this.#apply(body);
    if (text === undefined) throw new Error("the server of this lab is down");
    if (back.lost) return this.#timeout();
    await this.#delay(back.delayMs);
    if (this.#state === "dead") return never();
    this.#tell(body, text);
    return { status: 200, text };
  }

  async #repeat(body: string, ms: number): Promise<void> {
    await this.#delay(ms);
    await this.#apply(body);
  }

  /** The answer of the server; `undefined` when there is none. */
  async #apply(body: string): Promise<string | undefined> {
    if (this.#state === "dead") return never();
    const { server, activity, tap, name, kill } = this.#parts;
    const exchange = { process: name, requests: requestsIn(body) };
    for (const { kind } of exchange.requests) {
      if (ROUTINE.has(kind)) activity.happened();
      else activity.event();
    }
    const interruption = tap.arriving?.(exchange);
    if (interruption) {
      kill();
      await server.process(exchange.requests.slice(0, interruption.applied));
      return never();
    }
    const answers = await server.process(exchange.requests);
    if (!answers) return undefined;
    // The engine answers each request by its kind.
    tap.applied?.(exchange, answers as (Response | Refusal)[]);
    return JSON.stringify(body.startsWith("[") ? answers : answers[0]);
  }

  #tell(body: string, text: string): void {
    const { tap, name } = this.#parts;
    if (!tap.answered) return;
    const answers = [JSON.parse(text)].flat();
    tap.answered({ process: name, requests: requestsIn(body) }, answers);
  }

  #delay(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve();
    return new Promise((resolve) => this.#parts.clock.background(ms, resolve));
  }

  async #timeout(): Promise<never> {
    await this.#delay(TIMEOUT_MS);
    throw new Error(`there was no answer for ${TIMEOUT_MS} ms`);
  }
}

/** Requests that are made again and again while nothing happens. */
const ROUTINE: ReadonlySet<RequestKind> = new Set(["promise.register_listener", "promise.get"]);

function requestsIn(body: string): readonly Request[] {
  return [JSON.parse(body)].flat();
}

function never(): Promise<never> {
  return new Promise(() => {});
}
