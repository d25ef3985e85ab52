/** The side effects: one function per channel, each one real HTTP request. */
import { type Context, Exponential } from "@resonate-ts/sdk";
import { z } from "zod";
import type { Delivery, Order } from "./order.ts";

/** A channel that fails is tried again after 0.5 s, 1 s, 2 s, 4 s and 8 s. */
export const RETRIES = new Exponential({ delay: 250, maxRetries: 5 });

/** How long a provider may take to answer, in ms. */
const ANSWER_MS = 5_000;

/** Where the providers are; the dependency `providers`. */
export interface Providers {
  /** Each channel is a path under this URL. */
  readonly url: string;
}

export function sendEmail(ctx: Context, order: Order): Promise<Delivery> {
  const subject = `Order ${order.id} is on its way`;
  return deliver(ctx, "email", { to: `${order.customer}@example.com`, subject, text: text(order) });
}

export function sendSms(ctx: Context, order: Order): Promise<Delivery> {
  return deliver(ctx, "sms", { to: "+15550100", text: text(order) });
}

export function sendSlack(ctx: Context, order: Order): Promise<Delivery> {
  return deliver(ctx, "slack", { channel: "#orders", text: text(order) });
}

export function sendPush(ctx: Context, order: Order): Promise<Delivery> {
  return deliver(ctx, "push", { to: order.customer, title: "Shipped", text: text(order) });
}

function text({ id, customer, total }: Order): string {
  return `Order ${id} of ${customer}, ${(total / 100).toFixed(2)} EUR, has been shipped.`;
}

const answerSchema = z.object({ messageId: z.string() });

/**
 * One request to one provider.
 *
 * The key is the id of this channel's durable promise: the same for every attempt, in whichever process. A
 * provider that has seen it answers as before and does not deliver again.
 */
async function deliver(ctx: Context, channel: string, message: object): Promise<Delivery> {
  const providers = ctx.getDependency<Providers>("providers");
  if (!providers) throw new Error("The dependency 'providers' is not set.");

  const since = performance.now();
  const response = await fetch(`${providers.url}/${channel}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": ctx.id },
    body: JSON.stringify(message),
    signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(ANSWER_MS)]),
  });
  if (!response.ok) throw new Error(`The ${channel} provider answered ${response.status}.`);
  const { messageId } = answerSchema.parse(await response.json());
  return { channel, messageId, ms: Math.round(performance.now() - since) };
}
