/**
 * Stand-ins for the providers: one HTTP server on loopback with a path per channel, so that the first run needs
 * no accounts. Like real providers they take their time, and deliver once per `Idempotency-Key`.
 *
 * What they received is kept in a file, one JSON line per request, because providers outlive the programs that
 * call them: a key that was delivered before a crash stays delivered.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";

/** How long each channel takes, in ms. */
export const CHANNEL_MS = { email: 400, sms: 300, slack: 200, push: 250 } as const;

export type Channel = keyof typeof CHANNEL_MS;

/** A request that a provider received, and what it did. `repeated`: this key had been delivered already. */
const receivedSchema = z.object({
  channel: z.enum(["email", "sms", "slack", "push"]),
  key: z.string(),
  did: z.enum(["delivered", "failed", "repeated"]),
});

export type Received = Readonly<z.infer<typeof receivedSchema>>;

export interface SandboxOptions {
  /** Where to keep what was received. */
  readonly path: string;
  /** This channel fails the first request it gets for each key, with 503. */
  readonly failsFirst?: Channel | undefined;
  /** Told of every request, once it is answered. */
  readonly onReceived?: (received: Received) => void;
}

export interface Sandbox {
  readonly url: string;
  /** Every request so far, those of earlier processes included. */
  readonly received: readonly Received[];
  close(): Promise<void>;
}

/** Starts the providers on a free port. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { path, failsFirst, onReceived } = options;
  const received = readReceived(path);
  const note = (entry: Received) => {
    appendFileSync(path, `${JSON.stringify(entry)}\n`);
    received.push(entry);
    onReceived?.(entry);
  };

  const server = createServer(async (request, response) => {
    const asked = read(request);
    request.resume();
    if (!asked) return response.writeHead(404).end();
    await setTimeout(CHANNEL_MS[asked.channel]);
    const did = decide(received, asked, failsFirst);
    note({ ...asked, did });
    if (did === "failed") return response.writeHead(503).end();
    response.setHeader("Content-Type", "application/json");
    return response.end(JSON.stringify({ messageId: `${asked.channel}-${asked.key}` }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // A server that listens on a port has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function read({ method, url, headers }: IncomingMessage): Omit<Received, "did"> | undefined {
  const channel = receivedSchema.shape.channel.safeParse(url?.slice(1));
  const key = headers["idempotency-key"];
  if (method !== "POST" || !channel.success || typeof key !== "string") return undefined;
  return { channel: channel.data, key };
}

function decide(
  received: readonly Received[],
  { channel, key }: Omit<Received, "did">,
  failsFirst: Channel | undefined,
): Received["did"] {
  const before = received.filter((entry) => entry.key === key);
  if (before.some(({ did }) => did === "delivered")) return "repeated";
  return channel === failsFirst && before.length === 0 ? "failed" : "delivered";
}

function readReceived(path: string): Received[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => receivedSchema.parse(JSON.parse(line)));
}
