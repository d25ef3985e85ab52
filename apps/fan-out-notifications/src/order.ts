/** What happened, and what came of telling people about it. */

export interface Order {
  /** The business id: one order is notified once. */
  readonly id: string;
  readonly customer: string;
  /** In cents. */
  readonly total: number;
}

export interface Delivery {
  readonly channel: string;
  /** What the provider calls the message. */
  readonly messageId: string;
  /** How long the provider took for the request that went through, in ms. */
  readonly ms: number;
}

/** The id of the durable promise for an order. Its channels' promises, whose ids are their keys, are named after it. */
export function callId(order: string): string {
  return `notify-${order}`;
}

/** The order that the key of a request belongs to. */
export function orderOf(key: string): string {
  return key.slice(callId("").length, key.lastIndexOf(":"));
}
