/**
 * The listening socket: its limits, and how it is closed. It knows nothing of what is asked.
 *
 * I1. A request is either handed to the handler or answered 503; none is left without an answer.
 * I2. After `drain` no handler starts; after `end` no connection is open.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { sendProblem } from "./respond.ts";

/** Answers one request. Resolves when it has been answered, or when its stream has been opened. Must not reject. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Longest time for a client to send the head of a request, against those who send it byte by byte. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Longest time for a client to send a whole request. 2 MiB in it is a line of about 0.6 Mbit/s. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Longest time in which nothing at all moves on a connection: its reader is gone, or holds an answer hostage. */
const IDLE_TIMEOUT_MS = 120_000;
/** How often the first two are looked at. */
const TIMEOUTS_CHECK_MS = 2_000;
/** Idle connections are kept longer than clients usually keep them, so that the client is the one to close. */
const KEEP_ALIVE_MS = 65_000;
/** Connections besides those of streams; more are refused by closing them. */
const ORDINARY_CONNECTIONS_MAX = 3_096;

export interface Listener {
  /** The port that is really listened on. */
  readonly port: number;
  /** Hands requests to `handler` from now on. Until then they are answered 503. */
  serve(handler: Handler): void;
  /** Stops accepting, and waits at most `timeoutMs` for the requests under way. */
  drain(timeoutMs: number): Promise<void>;
  /** Closes what is still open; what is being written gets `timeoutMs` to leave. */
  end(timeoutMs: number): Promise<void>;
}

/** The port is taken. */
export class PortInUseError extends Error {
  override readonly name = "PortInUseError";
  readonly port: number;

  constructor({ port, bind }: { port: number; bind: string }) {
    super(`port ${port} on ${bind} is in use by another program`);
    this.port = port;
  }
}

/** How long clients may take, in ms, and how many there may be. */
export interface ListenerLimits {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly checkMs: number;
  readonly connectionsMax: number;
}

/** The limits of a listener on which there may be so many streams. */
export function limitsWith(streamsMax: number): ListenerLimits {
  return {
    headersMs: HEADERS_TIMEOUT_MS,
    requestMs: REQUEST_TIMEOUT_MS,
    checkMs: TIMEOUTS_CHECK_MS,
    connectionsMax: streamsMax + ORDINARY_CONNECTIONS_MAX,
  };
}

/** @throws PortInUseError when another program listens there. */
export async function listen(
  at: { readonly bind: string; readonly port: number },
  limits: ListenerLimits,
): Promise<Listener> {
  const requests = new Requests();
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.checkMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => requests.take(request, response),
  );
  server.timeout = IDLE_TIMEOUT_MS;
  server.maxConnections = limits.connectionsMax;
  const { port } = await bound(server, at);
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  return {
    port,
    serve: (handler) => requests.serve(handler),
    async drain(timeoutMs) {
      server.close();
      await within(timeoutMs, requests.drain());
    },
    async end(timeoutMs) {
      server.close();
      await within(timeoutMs, closed);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The requests that are being answered. */
class Requests {
  readonly #underWay = new Map<ServerResponse, Promise<void>>();
  #handler: Handler | undefined;

  serve(handler: Handler): void {
    this.#handler = handler;
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    if (this.#handler) this.#answer(this.#handler(request, response), response);
    else turnAway(response);
  }

  /** Resolves when what is under way has been answered. */
  async drain(): Promise<void> {
    this.#handler = undefined;
    // The connection ends with the answer: nothing else will be taken from it.
    for (const response of this.#underWay.keys()) response.shouldKeepAlive = false;
    await Promise.all(this.#underWay.values());
  }

  #answer(handled: Promise<void>, response: ServerResponse): void {
    this.#underWay.set(response, handled);
    void handled.then(() => this.#underWay.delete(response));
  }
}

function turnAway(response: ServerResponse): void {
  response.shouldKeepAlive = false;
  const message = "the server is starting or stopping; try again";
  sendProblem(response, 503, message, { "Retry-After": "1" });
}

function bound(server: Server, { bind, port }: { bind: string; port: number }) {
  return new Promise<AddressInfo>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "EADDRINUSE" ? new PortInUseError({ port, bind }) : error),
    );
    // A server on a port has an address with a port; only pipes have text.
    server.listen({ host: bind, port }, () => resolve(server.address() as AddressInfo));
  });
}

/** Waits for `done`, but not longer than `timeoutMs`. */
async function within(timeoutMs: number, done: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([done, late]);
  clearTimeout(timer);
}
