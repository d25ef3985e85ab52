/** A network that delivers each request one to three times, in any order, and keeps what came back of every copy. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Random } from "../differential/random.ts";
import type { Operation } from "./history.ts";
import { HttpClient } from "./real-server.ts";

/** Longest that a copy is kept back, in ms. */
const DELAY_MS_MAX = 20;
const COPIES_MAX = 3;

export interface Network {
  readonly url: string;
  /** Every copy that was delivered, as an operation of its own. */
  readonly history: readonly Operation[];
  /** Answers of 500 and more, and those that did not come. */
  readonly faults: number;
  /** Waits for the copies that are under way, and ends. */
  close(): Promise<void>;
}

export async function startNetwork(to: string, random: Random): Promise<Network> {
  const history: Operation[] = [];
  const underWay = new Set<Promise<void>>();
  let faults = 0;

  const deliver = async (text: string, response: ServerResponse) => {
    await new Promise<void>((resolve) => setTimeout(resolve, random.below(DELAY_MS_MAX)));
    const http = new HttpClient();
    const { kind, data } = JSON.parse(text);
    const call = performance.now();
    const answer = await http.ask(to, kind, data);
    http.close();
    history.push({
      client: 0,
      kind,
      data,
      call,
      return: performance.now(),
      ...(answer && { answer }),
    });
    if (!answer) faults++;
    // The first copy that is back answers the client.
    if (response.headersSent) return;
    const head = { corrId: "c", status: answer?.status ?? 500 };
    response.writeHead(head.status, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ kind, head, data: answer?.data ?? "no answer" }));
  };

  const server = createServer(async (request: IncomingMessage, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    for (let copy = 1 + random.below(COPIES_MAX); copy > 0; copy--) {
      const delivery = deliver(text, response);
      underWay.add(delivery);
      delivery.finally(() => underWay.delete(delivery));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on TCP.

  return {
    url: `http://127.0.0.1:${port}`,
    history,
    get faults() {
      return faults;
    },
    async close() {
      await Promise.all(underWay);
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
