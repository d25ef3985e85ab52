/** A server with an engine that does what a test says, and a client that hides nothing of HTTP. */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import {
  type Message,
  PROTOCOL_VERSION,
  type Refusal,
  type Request,
  type Response,
} from "@resonate-ts/protocol";
import type { Connection, Engine } from "../../src/engine/engine.ts";
import type { Logger } from "../../src/logger.ts";
import { type RunningServer, serve } from "../../src/serve.ts";
import { readSettings, type SettingsInput } from "../../src/settings.ts";

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Answers every request 200 with its id, and remembers what it saw. */
export class FakeEngine implements Engine {
  readonly processed: (readonly Request[])[] = [];
  readonly open: Connection[] = [];
  readonly failed: Promise<never> = new Promise(() => {});
  closed = false;
  writable = true;
  /** Runs before each answer. */
  before: () => Promise<void> = async () => {};
  /** Open connections besides those of the test. */
  others = 0;

  get connections(): number {
    return this.open.length + this.others;
  }

  async process(requests: readonly Request[]): Promise<readonly (Response | Refusal)[]> {
    this.processed.push(requests);
    await this.before();
    return requests.map(({ kind, head, data }) => {
      const found = !("id" in data) || data.id !== "absent";
      const status = found ? 200 : 404;
      const answer = found ? { promise: { id: "id" in data ? data.id : "" } } : "Promise not found";
      const response = { kind, head: { corrId: head.corrId, status, version: PROTOCOL_VERSION } };
      return { ...response, data: answer } as Response | Refusal;
    });
  }

  connect(connection: Connection): () => void {
    this.open.push(connection);
    return () => {
      const at = this.open.indexOf(connection);
      if (at !== -1) this.open.splice(at, 1);
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const connection of this.open) connection.closed();
  }
}

export interface TestServer extends RunningServer {
  readonly engine: FakeEngine;
}

export async function start(
  flags: SettingsInput["flags"] = {},
  engine = new FakeEngine(),
  logger = silent,
): Promise<TestServer> {
  const settings = readSettings({ flags: { "server.port": "0", ...flags } });
  const server = await serve(settings, { logger, open: async () => engine });
  return { ...server, engine };
}

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** One request on a connection of its own. */
export async function ask({ url }: { url: string }, what: Ask = {}): Promise<Answer> {
  const response = await head({ url }, what);
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

/** One request, answered as soon as the head is there. */
export function head({ url }: { url: string }, what: Ask = {}): Promise<IncomingMessage> {
  const { method = "POST", path = "/", headers = {}, body } = what;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = httpRequest(`${url}${path}`, { method, headers, agent: false }, resolve);
  request.once("error", reject);
  request.end(body);
  return promise;
}

/** The server-sent events of one process. */
export class Stream {
  readonly response: IncomingMessage;
  readonly ended: Promise<void>;
  #text = "";
  #look: () => void = () => {};

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding("utf8").on("data", (chunk: string) => {
      this.#text += chunk;
      this.#look();
    });
    response.on("error", () => {});
    this.ended = new Promise((resolve) => response.once("close", resolve));
  }

  static async open(server: { url: string }, path = "/poll/g/p", headers = {}): Promise<Stream> {
    return new Stream(await head(server, { method: "GET", path, headers }));
  }

  /** Resolves with all that has come when `wanted` is part of it. */
  async until(wanted: string): Promise<string> {
    while (!this.#text.includes(wanted)) {
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
    return this.#text;
  }
}

export function envelope(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const data = { id: "a" };
  return { kind: "promise.get", head: { corrId: "c1", version: PROTOCOL_VERSION }, data, ...over };
}

export function executeMessage(id: string): Message {
  return { kind: "execute", head: {}, data: { task: { id, version: 0 } } };
}

/** Resolves when `holds` does; looks at every turn of the event loop. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => setImmediate(resolve));
}
