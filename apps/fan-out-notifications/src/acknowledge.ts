/** Where devices say that a message has been seen. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface AcknowledgeOptions {
  /** Port on loopback; 0 takes a free one. */
  readonly port: number;
  /** What devices reach it by, where it is behind a proxy. Default loopback itself. */
  readonly url?: string | undefined;
  /** What addresses are signed with: nobody can acknowledge what was not sent to them. */
  readonly secret: string;
  /** Settles a promise. Called again for the same one when a device repeats itself. */
  readonly seen: (promise: string) => Promise<unknown>;
}

export interface Acknowledgements {
  /** The URL at which `promise` is acknowledged, by a POST without a body. */
  urlOf(promise: string): string;
  close(): Promise<void>;
}

/** Answers 204 once the acknowledgement is on record, 404 to whoever makes addresses up, 503 to try again. */
export async function listenForAcknowledgements(
  options: AcknowledgeOptions,
): Promise<Acknowledgements> {
  const { port, secret, seen } = options;
  const server = createServer(async (request, response) => {
    request.resume();
    const promise = request.method === "POST" ? promiseOf(request.url ?? "", secret) : undefined;
    if (promise === undefined) return response.writeHead(404).end();
    const recorded = await seen(promise).then(
      () => true,
      () => false,
    );
    return response.writeHead(recorded ? 204 : 503).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  // A server that listens on a port has an address with a port.
  const { port: listens } = server.address() as AddressInfo;
  const base = options.url ?? `http://127.0.0.1:${listens}`;
  return {
    urlOf: (promise) =>
      `${base.replace(/\/$/, "")}/seen/${encodeURIComponent(promise)}/${sign(promise, secret)}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function promiseOf(path: string, secret: string): string | undefined {
  const [, name = "", signature = ""] = /\/seen\/([^/]+)\/([\w-]+)$/.exec(path) ?? [];
  try {
    const promise = decodeURIComponent(name);
    const expected = Buffer.from(sign(promise, secret));
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected)
      ? promise
      : undefined;
  } catch {
    return undefined;
  }
}

function sign(promise: string, secret: string): string {
  return createHmac("sha256", secret).update(promise).digest("base64url");
}
