/** A server that answers what a test says, and remembers what it was asked. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { json } from "node:stream/consumers";

export interface Asked {
  readonly kind: string;
  readonly head: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever was sent.
  readonly data: any;
}

interface Answer {
  readonly status: number;
  readonly data: unknown;
}

export class FakeServer {
  readonly asked: Asked[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  answer: (asked: Asked) => Answer | Promise<Answer> = ({ data }) => ({
    status: 200,
    data: { promise: { ...data, state: "pending", value: {}, createdAt: 0 } },
  });
  readonly #http = createServer(async (request, response) => {
    const asked = (await json(request)) as Asked;
    this.asked.push(asked);
    this.headers.push(request.headers);
    const { status, data } = await this.answer(asked);
    const head = { corrId: asked.head.corrId, status, version: "2026-04-01" };
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ kind: asked.kind, head, data }));
  });

  start(): Promise<string> {
    return listening(this.#http);
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}

/** Lets a server listen on a free port of this machine, and resolves with its URL. */
export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
