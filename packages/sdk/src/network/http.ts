/** The way to a server over HTTP: requests by `POST`, messages by a stream of server-sent events. */
import { setTimeout as wait } from "node:timers/promises";
import {
  anycast,
  type Message,
  type Refusal,
  type Request,
  type RequestKind,
  type Response,
  unicast,
} from "@resonate-ts/protocol";
import { Pool } from "undici";
import { ResonateError } from "../errors.ts";
import { type Logger, silentLogger } from "../logger.ts";
import { systemClock } from "../worker/system-clock.ts";
import { type HttpReply, readExtensions } from "./answers.ts";
import { exchange } from "./exchange.ts";
import type { Extension, Network } from "./network.ts";
import { Reachability } from "./reachability.ts";
import { Requests } from "./requests.ts";
import { ServerTime } from "./server-time.ts";
import { MessageStream } from "./sse.ts";
import { addressOf } from "./target.ts";

/** Most connections to the server. One carries batches; more are used by servers without batches. */
const CONNECTIONS_MAX = 64;
/** Longest time that `stop` waits for answers, in ms: a program that ends must not wait for a server that is away. */
const STOP_MS = 500;

export interface HttpNetworkOptions {
  /** Address of the server, such as `http://localhost:8001`. A path is kept. */
  readonly url: string;
  /** The group of workers that this process belongs to. */
  readonly group: string;
  /** This process. */
  readonly pid: string;
  /** JWT that the server may ask for. */
  readonly token?: string | undefined;
  /** Longest wait for one answer, in ms, after which the request is sent again. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /**
   * How long a request is sent again while the server is away or overloaded, in ms, before it fails with
   * `ServerUnreachableError`. Default 60,000: longer than a server takes to start again.
   */
  readonly giveUpMs?: number | undefined;
  /** Whether extensions of the protocol are used where the server has them. Default true. */
  readonly extensions?: boolean | undefined;
  readonly logger?: Logger | undefined;
}

/**
 * A network over HTTP. From `init` to `stop` its open stream keeps the process alive.
 *
 * Connection errors, timeouts, the statuses 408, 425, 429, 500, 502, 503 and 504, and whatever no Resonate server says
 * are retried with growing waits (50 ms to 2 s); other refusals are final. An answer that is lost is found again by
 * reading the records (`recover.ts`).
 */
export class HttpNetwork implements Network {
  readonly unicast: string;
  readonly anycast: string;
  readonly #options: HttpNetworkOptions;
  readonly #url: URL;
  readonly #pool: Pool;
  readonly #requests: Requests;
  readonly #stream: MessageStream;
  readonly #timeoutMs: number;
  readonly #time: ServerTime;
  readonly #receivers: ((message: Message) => void)[] = [];
  readonly #openings: (() => void)[] = [];
  /** Whether only the base protocol is spoken. */
  readonly #plain: boolean;
  #extensions: ReadonlySet<Extension> | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  /** @throws ResonateError `ARGUMENT_INVALID` when `url` is not an HTTP address, or has a password in it. */
  constructor(options: HttpNetworkOptions) {
    const { url, group, pid, token, timeoutMs = 10_000, giveUpMs = 60_000 } = options;
    this.#options = options;
    this.#url = parseUrl(url);
    this.#timeoutMs = timeoutMs;
    this.#plain = options.extensions === false;
    this.unicast = unicast(group, pid);
    this.anycast = anycast(group, pid);
    this.#pool = new Pool(this.#url.origin, {
      connections: CONNECTIONS_MAX,
      connect: { timeout: timeoutMs },
    });
    const logger = options.logger ?? silentLogger;
    const reachability = new Reachability(url, logger);
    this.#time = new ServerTime(logger);
    this.#requests = new Requests({
      post: (body) => this.#post(body),
      batches: () => (this.#plain ? false : this.#extensions?.has("batch")),
      reachability,
      url,
      token,
      giveUpMs,
    });
    this.#stream = new MessageStream({
      dispatcher: this.#pool,
      origin: this.#url.origin,
      path: pollPath(this.#url, group, pid),
      token,
      timeoutMs,
      lease: !this.#plain,
      logger,
      reachability,
      time: this.#time,
      opened: (header) => this.#opened(header),
      receive: (message) => {
        for (const receive of this.#receivers) receive(message);
      },
    });
  }

  get extensions(): ReadonlySet<Extension> {
    return (this.#plain ? undefined : this.#extensions) ?? NONE;
  }

  get aheadMs(): number {
    return this.#time.aheadMs;
  }

  match(target: string): string {
    return addressOf(target);
  }

  /** Resolves when the stream of messages is open, or the first attempt has failed; it is kept up from then on. */
  init(): Promise<void> {
    this.#started ??= this.#stream.start();
    return this.#started;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  send<K extends RequestKind>(
    request: Request<K>,
    again?: () => Request<K>,
  ): Promise<Response<K> | Refusal> {
    return this.#requests.send(request, again);
  }

  recv(receive: (message: Message) => void): void {
    this.#receivers.push(receive);
  }

  opened(callback: () => void): void {
    this.#openings.push(callback);
  }

  #opened(header: string | string[] | undefined): boolean {
    this.#extensions = readExtensions(header);
    for (const callback of this.#openings) callback();
    return this.#extensions.size > 0;
  }

  async #post(body: string): Promise<HttpReply> {
    const { token } = this.#options;
    const askedAt = systemClock.now();
    const { status, headers, text } = await exchange(this.#pool, {
      path: `${this.#url.pathname}${this.#url.search}`,
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body,
      headersTimeout: this.#timeoutMs,
      bodyTimeout: this.#timeoutMs,
    });
    this.#time.heard(headers["date"], { askedAt, receivedAt: systemClock.now() });
    const header = headers["resonate-extensions"];
    // Without the header only a success tells that the server has none: a proxy's refusal tells nothing.
    if (header !== undefined || status === 200) this.#extensions = readExtensions(header);
    return { status, text };
  }

  async #stop(): Promise<void> {
    await Promise.race([this.#requests.stop(), wait(STOP_MS, undefined, { ref: false })]);
    await this.#stream.stop();
    await this.#pool.destroy();
  }
}

const NONE: ReadonlySet<Extension> = new Set();

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.username || url?.password) {
    throw new ResonateError(
      "ARGUMENT_INVALID",
      "The address of a server must not have a user or a password in it, which it would not take: give a token by the option 'token' or RESONATE_TOKEN.",
    );
  }
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new ResonateError(
    "ARGUMENT_INVALID",
    // What stands before an @ may be a password.
    `'${text.replace(/.*@/s, "…@")}' is not the address of a server: it must look like http://localhost:8001.`,
  );
}

function pollPath({ pathname }: URL, group: string, pid: string): string {
  const base = pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
  return `${base}/poll/${encodeURIComponent(group)}/${encodeURIComponent(pid)}`;
}
