/** HTTP as a crawler needs it: one request, bounded in time and size, to an address that was checked. */
import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { Agent, type Dispatcher, request } from "undici";
import {
  type ConnectTo,
  ForbiddenAddressError,
  guardedConnector,
  type Resolve,
} from "./addresses.ts";

/** What this crawler calls itself, to sites and in their robots.txt. */
export const USER_AGENT = "resonate-crawler";

/** All in ms. */
export interface WebLimits {
  /** To resolve a name. */
  readonly dnsMs: number;
  /** To connect. */
  readonly connectMs: number;
  /** To the first header. */
  readonly headersMs: number;
  /** For the body. */
  readonly bodyMs: number;
  /** For all of it. */
  readonly totalMs: number;
  /** Before the second try; it doubles from there. */
  readonly retryMs: number;
}

export const LIMITS: WebLimits = {
  dnsMs: 5_000,
  connectMs: 5_000,
  headersMs: 10_000,
  bodyMs: 20_000,
  totalMs: 30_000,
  retryMs: 1_000,
};

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  readonly headers: Headers;
  /** Decompressed; absent when it was not wanted. */
  readonly body?: Buffer;
  /** Why there is no whole body: it is larger than allowed, or its encoding is not known. */
  readonly refused?: "too large" | "unknown encoding";
}

export type Got =
  | Answer
  /** An address that may not be visited. */
  | { readonly kind: "forbidden"; readonly problem: string }
  /** No whole answer. */
  | { readonly kind: "failed"; readonly problem: string };

export interface Wanted {
  readonly accept: string;
  /** Most bytes of the body, decompressed. */
  readonly bytesMax: number;
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal;
  /** A larger body is cut there, and not refused. Default false. */
  readonly cut?: boolean;
  /** Whether to read the body. Default always. */
  readonly wants?: (status: number, headers: Headers) => boolean;
}

/** The dependency `web`. */
export interface Web {
  readonly limits: WebLimits;
  /** Makes one GET request; follows no redirect. Rejects only when `signal` has fired. */
  get(url: string, wanted: Wanted): Promise<Got>;
  close(): Promise<void>;
}

export interface WebOptions {
  /** Default `LIMITS`. */
  readonly limits?: Partial<WebLimits>;
  readonly connectTo?: readonly ConnectTo[];
  /** Default the system's. */
  readonly resolve?: Resolve;
}

export function openWeb({ limits: given, connectTo = [], resolve }: WebOptions = {}): Web {
  const limits = { ...LIMITS, ...given };
  const agent = (allowPrivate: boolean) =>
    new Agent({
      connect: guardedConnector({
        ...limits,
        allowPrivate,
        connectTo,
        ...(resolve && { resolve }),
      }),
      headersTimeout: limits.headersMs,
      bodyTimeout: limits.bodyMs,
      // A crawl that comes by again within seconds finds its connection.
      keepAliveTimeout: 4_000,
    });
  const [guarded, free] = [agent(false), agent(true)];
  return {
    limits,
    get: (url, wanted) => get(url, wanted, limits, wanted.allowPrivate ? free : guarded),
    async close() {
      await Promise.all([guarded.destroy(), free.destroy()]);
    },
  };
}

async function get(
  url: string,
  wanted: Wanted,
  limits: WebLimits,
  dispatcher: Dispatcher,
): Promise<Got> {
  const clock = new RequestClock(wanted.signal, limits);
  try {
    const {
      statusCode: status,
      headers,
      body,
    } = await request(url, {
      dispatcher,
      headers: {
        "User-Agent": USER_AGENT,
        Accept: wanted.accept,
        "Accept-Encoding": "gzip, deflate, br",
      },
      signal: clock.signal,
    });
    clock.answered();
    if (wanted.wants?.(status, headers) === false) {
      // A small rest is read so that the connection can be used again; a large one is cut off.
      await body.dump({ limit: 65_536 }).catch(() => {});
      return { kind: "answer", status, headers };
    }
    return { kind: "answer", status, headers, ...(await read(body, headers, wanted)) };
  } catch (error) {
    wanted.signal.throwIfAborted();
    return failure(error);
  } finally {
    clock.stop();
  }
}

/** Ends a request that takes too long, or whose caller gives up. */
class RequestClock {
  readonly #abort = new AbortController();
  readonly #caller: AbortSignal;
  readonly #limits: WebLimits;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #giveUp = () => this.#abort.abort(this.#caller.reason);

  constructor(caller: AbortSignal, limits: WebLimits) {
    this.#caller = caller;
    this.#limits = limits;
    caller.throwIfAborted();
    caller.addEventListener("abort", this.#giveUp);
    this.#endAfter(limits.totalMs, "the whole answer");
    this.#endAfter(limits.dnsMs + limits.connectMs + limits.headersMs, "the headers");
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The headers are there. */
  answered(): void {
    clearTimeout(this.#timers.pop());
    this.#endAfter(this.#limits.bodyMs, "the body");
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#caller.removeEventListener("abort", this.#giveUp);
  }

  #endAfter(ms: number, what: string): void {
    const late = () => this.#abort.abort(new Error(`${what} took more than ${ms} ms`));
    this.#timers.push(setTimeout(late, ms));
  }
}

function failure(error: unknown): Got {
  const problem = messageOf(error);
  const forbidden = error instanceof ForbiddenAddressError;
  return { kind: forbidden ? "forbidden" : "failed", problem };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Failing to connect to every address of a host has no message of its own, only a code.
  return error.message || ("code" in error && String(error.code)) || error.name;
}

async function read(
  body: Readable,
  headers: Headers,
  { bytesMax, cut = false }: Wanted,
): Promise<Pick<Answer, "body" | "refused">> {
  const stream = decompressed(body, headers["content-encoding"]);
  if (!stream) {
    body.on("error", () => {}).destroy();
    return { refused: "unknown encoding" };
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      // Leaving the loop ends the decompression; what feeds it is ended here.
      body.on("error", () => {}).destroy();
      return cut ? { body: Buffer.concat([...chunks, chunk], bytesMax) } : { refused: "too large" };
    }
    chunks.push(chunk);
  }
  return { body: Buffer.concat(chunks) };
}

/** The plain bytes; `undefined` for an encoding that was not asked for, or several one inside the other. */
function decompressed(body: Readable, encoding: Headers[string]): Readable | undefined {
  const decoder = decoderOf(
    String(encoding ?? "identity")
      .trim()
      .toLowerCase(),
  );
  if (decoder === null) return body;
  if (!decoder) return undefined;
  body.on("error", (error) => decoder.destroy(error));
  return body.pipe(decoder);
}

function decoderOf(encoding: string) {
  switch (encoding) {
    case "identity":
    case "":
      return null;
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    default:
      return undefined;
  }
}
