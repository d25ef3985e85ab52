/** A server inside this process: its engine, called directly, on a file or in memory. */
import { setImmediate as turn } from "node:timers/promises";
import {
  anycast,
  type Message,
  PROTOCOL_VERSION,
  type Refusal,
  type Request,
  type RequestKind,
  type Response,
  unicast,
} from "@resonate-ts/protocol";
import type { Engine } from "@resonate-ts/server";
import { ResonateError, ServerUnreachableError } from "../errors.ts";
import { type Logger, silentLogger } from "../logger.ts";
import { systemClock } from "../worker/system-clock.ts";
import { backoffMs, pause } from "./backoff.ts";
import { endOfTurn } from "./end-of-turn.ts";
import type { Extension, Network } from "./network.ts";
import { addressOf } from "./target.ts";

export interface EmbeddedNetworkOptions {
  /** File that holds the records, created when absent. Without it they live in memory and end with the process. */
  readonly path?: string | undefined;
  /** The group of workers that this process belongs to. */
  readonly group: string;
  /** This process. */
  readonly pid: string;
  /** Whether extensions of the protocol are used. Default true. */
  readonly extensions?: boolean | undefined;
  readonly logger?: Logger | undefined;
}

/** An engine that is open. */
interface Opened {
  readonly engine: Engine;
  /** The refusal of a request that is malformed. */
  readonly read: (request: Request) => Refusal | undefined;
}

/** How long a request is tried again that the engine cannot serve now, such as while the disk is full, in ms. */
const GIVE_UP_MS = 60_000;
/** Two clocks of one machine that are less than this apart are not told apart, in ms. */
const NO_DIFFERENCE_MS = 1_000;
const BACKOFF = { firstMs: 50, mostMs: 2_000 };

interface Waiting {
  readonly request: Request;
  readonly resolve: (answer: Response | Refusal) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A network to a server in this process. The server's code is loaded by `init`, not by importing this. It does not keep
 * the process alive: that ends when no result is waited for and nothing runs.
 */
export class EmbeddedNetwork implements Network {
  readonly unicast: string;
  readonly anycast: string;
  readonly #options: EmbeddedNetworkOptions;
  readonly #where: string;
  readonly #receivers: ((message: Message) => void)[] = [];
  readonly #openings: (() => void)[] = [];
  #waiting: Waiting[] = [];
  #extensions: ReadonlySet<Extension> = new Set();
  #engine: Promise<Opened> | undefined;
  /** The engine's clock, once there is an engine. */
  #now: (() => number) | undefined;
  readonly #stopping = new AbortController();
  #disconnect: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: EmbeddedNetworkOptions) {
    this.#options = options;
    this.#where = options.path ?? "memory";
    this.unicast = unicast(options.group, options.pid);
    this.anycast = anycast(options.group, options.pid);
  }

  get extensions(): ReadonlySet<Extension> {
    return this.#extensions;
  }

  /** The engine's time goes on from where the records end, also when the machine's clock has been set back since. */
  get aheadMs(): number {
    const ahead = (this.#now?.() ?? systemClock.now()) - systemClock.now();
    return Math.abs(ahead) < NO_DIFFERENCE_MS ? 0 : ahead;
  }

  match(target: string): string {
    return addressOf(target);
  }

  /** Opens the records. Rejects, with the server's error, when another process has the file or it cannot be used. */
  async init(): Promise<void> {
    await this.#open();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  send<K extends RequestKind>(request: Request<K>): Promise<Response<K> | Refusal> {
    if (this.#stopped) return Promise.reject(stopped(request));
    const answer = new Promise<Response | Refusal>((resolve, reject) => {
      // What is sent in one turn is applied, and made durable, together.
      if (this.#waiting.length === 0) endOfTurn(() => void this.#flush());
      this.#waiting.push({ request, resolve, reject });
    });
    // The engine answers each request by its kind.
    return answer as Promise<Response<K> | Refusal>;
  }

  recv(receive: (message: Message) => void): void {
    this.#receivers.push(receive);
  }

  opened(callback: () => void): void {
    this.#openings.push(callback);
  }

  #open(): Promise<Opened> {
    this.#engine ??= this.#load();
    return this.#engine;
  }

  async #load(): Promise<Opened> {
    const { path, group, pid, extensions = true, logger = silentLogger } = this.#options;
    const { EXTENSIONS, openEngine } = await import("@resonate-ts/server");
    const { parseRequest } = await import("@resonate-ts/protocol/parse");
    const engine = await openEngine({ path, logger }).catch((error: unknown) => {
      throw openingError(error);
    });
    engine.failed.catch((error: unknown) => {
      logger.error(
        { error, where: this.#where },
        "The embedded server failed; restart this process.",
      );
    });
    const { inside } = engine;
    if (inside) this.#now = () => inside.now();
    this.#extensions = new Set(extensions ? EXTENSIONS : []);
    this.#disconnect = engine.connect({
      group,
      id: pid,
      // The connection ends with the engine itself.
      graceMs: 0,
      send: (message) => this.#receive(message),
      closed: () => undefined,
    });
    for (const callback of this.#openings) callback();
    const read = (request: Request) => {
      const parsed = parseRequest(request);
      return parsed.ok ? undefined : malformed(request, parsed.message);
    };
    return { engine, read };
  }

  /** Handed over in a turn of its own: the engine is still at work when it sends. */
  #receive(message: Message): boolean {
    if (this.#stopped) return false;
    queueMicrotask(() => {
      for (const receive of this.#receivers) receive(message);
    });
    return true;
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const answers = await this.#process(waiting.map(({ request }) => request));
      waiting.forEach(({ request, resolve, reject }, i) => {
        const answer = answers[i];
        if (answer) resolve(answer);
        else reject(new Error(`the embedded server did not answer ${request.kind}`));
      });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  /** As over HTTP: what is malformed is refused in its place, and what cannot be served now is tried again. */
  async #process(requests: readonly Request[]): Promise<readonly (Response | Refusal)[]> {
    const { engine, read } = await this.#open();
    const answers = requests.map((request): Response | Refusal | undefined => read(request));
    const giveUpAt = performance.now() + GIVE_UP_MS;
    for (let failures = 1; ; failures++) {
      const open = requests.flatMap((_, i) => (isOpen(answers[i]) ? [i] : []));
      if (open.length === 0 || (failures > 1 && performance.now() > giveUpAt)) break;
      if (failures > 1) await pause(backoffMs(BACKOFF, failures - 1), this.#stopping.signal);
      if (this.#stopping.signal.aborted && failures > 1) break;
      const given = await this.#ask(
        engine,
        open.flatMap((i) => requests[i] ?? []),
      );
      open.forEach((i, at) => {
        answers[i] = given[at];
      });
    }
    return answers.flatMap((answer) => answer ?? []);
  }

  async #ask(
    engine: Engine,
    requests: readonly Request[],
  ): Promise<readonly (Response | Refusal)[]> {
    try {
      return await engine.process(requests);
    } catch (cause) {
      throw new ServerUnreachableError({ url: `${this.#where} (in this process)`, cause });
    }
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    if (!this.#engine) return;
    // What was sent in this turn is on its way to the engine only after it.
    await turn();
    try {
      const { engine } = await this.#engine;
      this.#disconnect?.();
      await engine.close();
    } catch {
      // It could not be opened, and whoever waited for it has been told.
    }
  }
}

/** Why the records cannot be opened, as an error of this package where a person can mend it. */
function openingError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === "StoreInUseError") {
    return new ResonateError("STORE_IN_USE", error.message, { cause: error });
  }
  if (error.name === "StoreUnusableError") {
    return new ResonateError("STORE_UNUSABLE", error.message, { cause: error });
  }
  return error;
}

/** It has no answer yet, or one that may be different next time. */
function isOpen(answer: Response | Refusal | undefined): boolean {
  return !answer || answer.head.status === 503;
}

function malformed({ kind, head }: Request, message: string): Refusal {
  const { corrId } = head;
  return { kind, head: { corrId, status: 400, version: PROTOCOL_VERSION }, data: message };
}

function stopped(request: Request): ResonateError {
  return new ResonateError(
    "STOPPED",
    `${request.kind} was not sent: this client has been stopped.`,
  );
}
