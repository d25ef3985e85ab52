/** What is told to whom, over which channels, and what comes of it. What a durable promise keeps: no secret is in here. */
import { z } from "zod";

export const CHANNELS = ["email", "sms", "slack", "push", "webhook"] as const;

export type Channel = (typeof CHANNELS)[number];

/** Those that reach the recipient; the others reach the team, whoever the recipient is. */
export const PERSONAL: readonly Channel[] = ["email", "sms", "push"];

/** What becomes of a message when nobody can know whether it was delivered: no answer came, or the process ended. */
export const AMBIGUOUS = ["retry", "fail", "reconcile"] as const;

const LINE_MAX = 200;
const TEXT_MAX = 1_000;

/** One line of text: what could begin another header, or move a cursor, is refused. */
const line = z
  .string()
  .min(1, "must not be empty")
  .max(LINE_MAX, `must have at most ${LINE_MAX} characters`)
  .regex(/^\P{Cc}*$/u, "must be one line without control characters");

/** Several lines of text. */
const text = z
  .string()
  .min(1, "must not be empty")
  .max(TEXT_MAX, `must have at most ${TEXT_MAX} characters`)
  .regex(/^(?:\P{Cc}|\n|\t)*$/u, "must not have control characters other than line ends and tabs");

export const eventSchema = z.object({
  /** The business id: one event is told once. */
  id: z.string().regex(/^[\w-]{1,64}$/, "must be 1 to 64 letters, digits, '-' or '_'"),
  subject: line,
  text,
});

const bytes = (count: number) =>
  z
    .string()
    .regex(/^[\w-]+$/, "must be base64url")
    .refine(
      (key) => Buffer.from(key, "base64url").length === count,
      `must be ${count} bytes in base64url`,
    );

/** A person. Where an address is absent, the channel is skipped. */
export const recipientSchema = z.strictObject({
  id: z.string().regex(/^[\w.-]{1,64}$/, "must be 1 to 64 letters, digits, '.', '-' or '_'"),
  name: line.exactOptional(),
  email: z
    .email("must be an email address")
    .max(254, "must have at most 254 characters")
    .exactOptional(),
  phone: z
    .string()
    .regex(/^\+[1-9]\d{6,14}$/, "must be a number such as +15550100123")
    .exactOptional(),
  /** What a browser gives for `pushManager.subscribe()`. */
  push: z
    .object({
      endpoint: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }).max(1_000),
      keys: z.object({ p256dh: bytes(65), auth: bytes(16) }),
    })
    .exactOptional(),
});

const routeSchema = z.object({
  channel: z.enum(CHANNELS),
  /** Sent with an account, or to the sandbox. A process that cannot do it this way leaves it to another one. */
  via: z.enum(["account", "sandbox"]),
  /** How long a provider may take to answer, in ms. */
  timeoutMs: z.number().int().positive(),
  /** How many requests are made at most. */
  attemptsMax: z.number().int().positive(),
  ambiguous: z.enum(AMBIGUOUS),
});

export const planSchema = z.object({
  branches: z.array(
    z.object({
      route: routeSchema,
      /** Taken unless the recipient has acknowledged the first message in time. */
      fallback: routeSchema.exactOptional(),
    }),
  ),
  /** How many channels have to deliver: all that the recipient has, one, or a number of them. */
  policy: z.union([z.enum(["all", "any"]), z.number().int().positive()]),
  /** How long a recipient has to acknowledge a message, in ms. */
  acknowledgeMs: z.number().int().positive(),
});

/** What `notify` accepts. It is checked before anything is sent, whoever calls. */
export const notificationSchema = z.object({
  event: eventSchema,
  recipient: recipientSchema,
  plan: planSchema,
});

export type Event = Readonly<z.infer<typeof eventSchema>>;
export type Recipient = Readonly<z.infer<typeof recipientSchema>>;
export type Route = Readonly<z.infer<typeof routeSchema>>;
export type Plan = Readonly<z.infer<typeof planSchema>>;
export type Branch = Plan["branches"][number];
export type Notification = Readonly<z.infer<typeof notificationSchema>>;

/** How one channel ended. */
export interface Outcome {
  readonly channel: Channel;
  /** `unknown`: a request was made, and nobody can say what became of it. */
  readonly outcome: "delivered" | "failed" | "skipped" | "unknown";
  /** What providers know the message by: the id of the durable promise of this branch. */
  readonly key: string;
  /** Requests that were made, as far as they are on record. */
  readonly attempts: number;
  /** How long the requests took together, in ms. */
  readonly ms: number;
  /** What the provider calls the message. */
  readonly messageId?: string;
  readonly why?: string;
  /** The address is gone for good: take it out of the list. */
  readonly unsubscribe?: true;
  /** The recipient has seen it, in time; only where there is a fallback. */
  readonly acknowledged?: boolean;
}

/** How a recipient was notified. */
export interface Report {
  readonly recipient: string;
  /** Whether as many channels delivered as the plan wants. */
  readonly met: boolean;
  readonly outcomes: readonly Outcome[];
}

/** The id of the durable promise for an event. Its branches' promises, whose ids are their keys, are named after it. */
export function callId(event: string): string {
  return `notify-${event}`;
}

/** The event that a key belongs to. */
export function eventOf(key: string): string {
  return key.slice(callId("").length, key.indexOf(":"));
}
