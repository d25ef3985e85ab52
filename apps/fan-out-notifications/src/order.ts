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
