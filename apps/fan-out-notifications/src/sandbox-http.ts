/** The providers of the sandbox that speak HTTP: each checks what the real one checks, and answers as it does. */
import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { z } from "zod";
import type { Accounts } from "./accounts.ts";
import type { Asked, Desk } from "./sandbox-desk.ts";
import { decrypt, isSigned } from "./sandbox-device.ts";
import { signature, webhookId } from "./send-webhook.ts";

/** The push service, as subscriptions of the sandbox name it. */
export const PUSH_ORIGIN = "https://push.sandbox.test";

/** How far the clock of a sender may be off, in s. */
const CLOCK_S = 300;

export interface HttpProviders {
  readonly url: string;
  close(): Promise<void>;
}

export interface HttpProvidersOptions {
  readonly desk: Desk;
  /** What its customers have to know. */
  readonly accounts: Pick<Accounts, "sms" | "push" | "webhook">;
  /** Whether devices acknowledge what they are asked to acknowledge. */
  readonly awake: boolean;
}

/** A request that has been understood: what to deliver, and what to say when that is done. */
interface Understood extends Asked {
  readonly answer: { readonly status: number; readonly body: string; readonly location?: string };
  /** Done when it is delivered for the first time. */
  readonly delivered?: () => void;
}

/** A refusal, by its status. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`refused with ${status}`);
    this.status = status;
  }
}

export async function startHttpProviders(options: HttpProvidersOptions): Promise<HttpProviders> {
  const server = createServer(async (request, response) => {
    try {
      const body = await buffer(request);
      const found = listOf(request, options);
      if (found) return json(response, 200, found);
      await perform(understand(request, body, options), options.desk, response);
    } catch (error) {
      // What cannot be read at all is as wrong as what can be.
      response.writeHead(error instanceof Refused ? error.status : 400).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // A server that listens on a port has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function perform(
  { answer, delivered, ...asked }: Understood,
  desk: Desk,
  response: ServerResponse,
): Promise<void> {
  const { did, fault } = await desk.handle(asked);
  if (did === "delivered") delivered?.();
  switch (fault?.kind) {
    case undefined: {
      const { status, body, location } = answer;
      response.writeHead(status, location === undefined ? {} : { location }).end(body);
      return;
    }
    case "refuse": {
      const { status, retryAfter } = fault;
      const headers = retryAfter === undefined ? {} : { "retry-after": `${retryAfter}` };
      response.writeHead(status, headers).end();
      return;
    }
    case "cut":
      response.destroy();
      return;
    case "hang":
      return;
  }
}

function understand(
  request: IncomingMessage,
  body: Buffer,
  options: HttpProvidersOptions,
): Understood {
  const { method, url = "" } = request;
  if (method !== "POST") throw new Refused(405);
  if (url.startsWith("/2010-04-01/")) return sms(request, body, options);
  if (url.startsWith("/services/")) return slack(request, body);
  if (url.startsWith("/push/")) return push(request, body, options);
  if (url === "/webhook") return webhook(request, body, options);
  throw new Refused(404);
}

function sms(
  request: IncomingMessage,
  body: Buffer,
  { accounts }: HttpProvidersOptions,
): Understood {
  checkCustomer(request, accounts.sms);
  const form = new URLSearchParams(body.toString());
  const key = headerOf(request, "idempotency-key");
  const to = form.get("To") ?? "";
  if (!/^\+\d+$/.test(to) || !form.get("From")) throw new Refused(400);
  const answer = { status: 201, body: JSON.stringify({ sid: `SM-${key}`, status: "queued" }) };
  return { channel: "sms", key, to, text: form.get("Body") ?? "", answer };
}

/** The messages to one number; `undefined` when that is not what is asked for. */
function listOf(request: IncomingMessage, { accounts, desk }: HttpProvidersOptions) {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://sandbox");
  if (request.method !== "GET" || !pathname.endsWith("/Messages.json")) return undefined;
  checkCustomer(request, accounts.sms);
  const delivered = desk.ledger.deliveredTo("sms", searchParams.get("To") ?? "");
  return { messages: delivered.map(({ key, text }) => ({ sid: `SM-${key}`, body: text })) };
}

function slack(request: IncomingMessage, body: Buffer): Understood {
  const { text } = z.object({ text: z.string().min(1) }).parse(JSON.parse(body.toString()));
  const key = headerOf(request, "idempotency-key");
  return { channel: "slack", key, to: "team", text, answer: { status: 200, body: "ok" } };
}

function push(request: IncomingMessage, body: Buffer, options: HttpProvidersOptions): Understood {
  const { awake, accounts } = options;
  const signed = isSigned(headerOf(request, "authorization"), {
    publicKey: accounts.push.VAPID_PUBLIC_KEY,
    origins: [PUSH_ORIGIN, `http://${headerOf(request, "host")}`],
    nowS: Date.now() / 1_000,
  });
  if (!signed) throw new Refused(403);
  headerOf(request, "ttl");
  const key = headerOf(request, "idempotency-key");
  const text = decrypt(body);
  const { acknowledgeUrl } = z
    .object({ acknowledgeUrl: z.string().exactOptional() })
    .parse(JSON.parse(text));
  const answer = { status: 201, body: "", location: `${PUSH_ORIGIN}/message/${key}` };
  const seen = () => {
    if (awake && acknowledgeUrl !== undefined) void acknowledge(acknowledgeUrl);
  };
  return { channel: "push", key, to: request.url ?? "", text, answer, delivered: seen };
}

/** Devices do not mind when nobody listens any more. */
async function acknowledge(url: string): Promise<void> {
  await fetch(url, { method: "POST" }).catch(() => {});
}

function webhook(
  request: IncomingMessage,
  body: Buffer,
  options: HttpProvidersOptions,
): Understood {
  const key = headerOf(request, "idempotency-key");
  const [id, timestamp] = [headerOf(request, "webhook-id"), headerOf(request, "webhook-timestamp")];
  // What is signed is parted by dots. Neither part has one, or the same signature would hold for other parts, too.
  if (id !== webhookId(key) || !/^\d{1,12}$/.test(timestamp)) throw new Refused(401);
  const text = body.toString();
  const signed = signature(options.accounts.webhook.WEBHOOK_SECRET, { id, timestamp, body: text });
  const old = Math.abs(Date.now() / 1_000 - Number(timestamp)) > CLOCK_S;
  if (old || !isSame(headerOf(request, "webhook-signature"), signed)) throw new Refused(401);
  return { channel: "webhook", key, to: "system", text, answer: { status: 204, body: "" } };
}

function checkCustomer(request: IncomingMessage, account: Accounts["sms"]): void {
  const { TWILIO_ACCOUNT_SID: sid, TWILIO_AUTH_TOKEN: token } = account;
  const expected = `Basic ${Buffer.from(`${sid}:${token}`).toString("base64")}`;
  if (!isSame(headerOf(request, "authorization"), expected)) throw new Refused(401);
}

/** In a time that does not tell how much of it is right. */
function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** @throws Refused where it is missing. */
function headerOf(request: IncomingMessage, name: string): string {
  const header = request.headers[name];
  if (typeof header !== "string" || header === "") throw new Refused(400);
  return header;
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
