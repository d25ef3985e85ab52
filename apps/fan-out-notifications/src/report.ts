/** What a person reads. */
import { styleText } from "node:util";
import type { Delivery } from "./order.ts";
import { CHANNEL_MS, type Received } from "./sandbox.ts";

const COLORS = { delivered: "green", failed: "red", repeated: "yellow" } as const;

/** One line about a request that a provider received. */
export function receivedLine({ channel, key, did }: Received): string {
  return `  ${channel.padEnd(5)}  ${styleText(COLORS[did], did.padEnd(9))}  Idempotency-Key: ${key}`;
}

/** What came of it all: the time it took, and how often each channel was called. */
export function summary(outcome: {
  readonly deliveries: readonly Delivery[];
  /** Of this order, whichever process sent them. */
  readonly received: readonly Received[];
  /** How many requests this process sent. */
  readonly sentNow: number;
  /** From the start of this process's work to the result. */
  readonly wallMs: number;
}): string {
  const { deliveries, received, sentNow, wallMs } = outcome;
  const sumMs = deliveries.reduce((total, { ms }) => total + ms, 0);
  if (sentNow === 0) return "This order had been notified about before: nothing was sent.";
  const calls = Object.keys(CHANNEL_MS).map((channel) => callsLine(channel, received));
  return [
    `${deliveries.length} channels notified. Wall time ${wallMs.toFixed(0)} ms; the channels' own times add up to ${sumMs} ms.`,
    `Requests the providers got for this order: ${calls.join(", ")}.`,
  ].join("\n");
}

function callsLine(channel: string, received: readonly Received[]): string {
  const own = received.filter((entry) => entry.channel === channel);
  const failed = own.filter(({ did }) => did === "failed").length;
  return `${channel} ${own.length}${failed > 0 ? ` (${failed} failed)` : ""}`;
}
