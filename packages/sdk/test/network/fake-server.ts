/** A server on a free port of loopback that answers as a test tells it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Message, Request } from "@resonate-ts/protocol";

/** How one request is answered: a status and data, or by cutting the connection before or after it is seen. */
export type Reply = { readonly status: number; readonly data: unknown } | "cut";

export interface FakeServerOptions {
  /** The `Resonate-Extensions` header; absent by default. */
  readonly extensions?: string;
  /** How far its clock is ahead, in ms, as its answers say. Default 0. */
  readonly aheadMs?: number;
  readonly port?: number;
  /** Default: 200 with `{}`. */
  readonly reply?: (request: Request, post: number) => Reply | Promise<Reply>;
  /** Answers a whole POST in place of `reply`, if it gives something, as what stands in between: without the header. */
  readonly raw?: (
    post: number,
    body: unknown,
  ) => { readonly status: number; readonly text: string } | undefined;
  /** Status of the stream. Default 200. */
  readonly pollStatus?: (poll: number) => number;
}

export class FakeServer {
  /** What each POST held, as sent. */
  readonly posts: (Request | Request[])[] = [];
  readonly headers: IncomingMessage["headers"][] = [];
  readonly polls: IncomingMessage[] = [];
  readonly streams: ServerResponse[] = [];
  readonly #options: FakeServerOptions;
  readonly #http = createServer((request, response) => void this.#handle(request, response));
  #waiting: (() => void)[] = [];

  private constructor(options: FakeServerOptions) {
    this.#options = options;
  }

  static async start(options: FakeServerOptions = {}): Promise<FakeServer> {
    const server = new FakeServer(options);
    await new Promise<void>((resolve) => {
      server.#http.listen(options.port ?? 0, "127.0.0.1", resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** All requests in the order in which they arrived. */
  get requests(): readonly Request[] {
    return this.posts.flat();
  }

  /** Resolves as soon as `condition` holds; it is looked at after everything that arrives. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  push(message: Message | string): void {
    const data = typeof message === "string" ? message : JSON.stringify(message);
    this.streams.at(-1)?.write(`data: ${data}\n\n`);
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#http.close(() => resolve());
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { extensions, aheadMs = 0 } = this.#options;
    response.setHeader("Date", new Date(Date.now() + aheadMs).toUTCString());
    if (extensions !== undefined) response.setHeader("Resonate-Extensions", extensions);
    if (request.method === "GET") this.#poll(request, response);
    else await this.#post(request, response);
    this.#arrived();
  }

  #arrived(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #poll(request: IncomingMessage, response: ServerResponse): void {
    this.polls.push(request);
    const status = this.#options.pollStatus?.(this.polls.length) ?? 200;
    response.writeHead(status, { "Content-Type": "text/event-stream" });
    if (status !== 200) {
      response.end("no stream");
      return;
    }
    response.flushHeaders();
    this.streams.push(response);
  }

  async #post(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: Request | Request[] = JSON.parse(await text(request));
    this.posts.push(body);
    this.headers.push(request.headers);
    const post = this.posts.length;
    this.#arrived();
    const raw = this.#options.raw?.(post, body);
    if (raw) {
      response.removeHeader("Resonate-Extensions");
      response.writeHead(raw.status, { "Content-Type": "text/plain" }).end(raw.text);
      return;
    }
    const replies = await Promise.all([body].flat().map((one) => this.#answer(one, post)));
    if (replies.includes("cut")) {
      request.socket.destroy();
      return;
    }
    const status = Array.isArray(body) ? 200 : statusOf(replies[0]);
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(Array.isArray(body) ? replies : replies[0]));
  }

  async #answer(request: Request, post: number): Promise<object | "cut"> {
    const reply = (await this.#options.reply?.(request, post)) ?? { status: 200, data: {} };
    if (reply === "cut") return reply;
    const { corrId, version } = request.head;
    return {
      kind: request.kind,
      head: { corrId, status: reply.status, version },
      data: reply.data,
    };
  }
}

function statusOf(reply: unknown): number {
  return (reply as { head: { status: number } }).head.status;
}
