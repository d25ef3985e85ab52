/** The accounts with providers. They come from the environment only, and are never put on record. */
import { z } from "zod";
import type { Channel } from "./notification.ts";

/** Loopback does not leave this machine, so it needs no TLS. */
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const url = z
  .url({ protocol: /^https?$/, error: "must be an http or https URL" })
  .refine(isSafe, "must be https (http only on loopback)");

const word = z.string().regex(/^[\x21-\x7e]+$/, "must be printable ASCII without spaces");

const accountSchemas = {
  email: z.object({
    /** `smtp://user:password@host:port`, or `smtps://`. */
    SMTP_URL: z.url({ protocol: /^smtps?$/, error: "must be an smtp or smtps URL" }),
    SMTP_FROM: z.email("must be an email address"),
  }),
  sms: z.object({
    TWILIO_ACCOUNT_SID: word,
    TWILIO_AUTH_TOKEN: word,
    TWILIO_FROM: z.string().regex(/^\+[1-9]\d{6,14}$/, "must be a number such as +15550100123"),
    TWILIO_API_URL: url.default("https://api.twilio.com"),
  }),
  slack: z.object({ SLACK_WEBHOOK_URL: url }),
  push: z.object({
    VAPID_SUBJECT: z
      .string()
      .regex(/^(?:mailto:|https:\/\/)\S+$/, "must begin with 'mailto:' or 'https://'"),
    VAPID_PUBLIC_KEY: key(65),
    VAPID_PRIVATE_KEY: key(32),
    /** Hosts that subscriptions may name: they come from strangers. */
    PUSH_HOSTS: z
      .string()
      .default(
        "fcm.googleapis.com updates.push.services.mozilla.com *.notify.windows.com web.push.apple.com",
      )
      .transform((hosts) => hosts.split(/[\s,]+/)),
  }),
  webhook: z.object({
    WEBHOOK_URL: url,
    WEBHOOK_SECRET: z
      .string()
      .regex(/^whsec_[\w+/-]{32,}=*$/, "must be 'whsec_' and at least 24 bytes in base64"),
  }),
} as const satisfies Readonly<Record<Channel, z.ZodType>>;

type Schemas = typeof accountSchemas;

/** Settings of each account, by the names of their variables. */
export type Accounts = { readonly [C in Channel]: Readonly<z.infer<Schemas[C]>> };

/**
 * The accounts that the environment has: of a channel, all of its variables are set, or none.
 *
 * @throws Error that names the variable that is missing or wrong, and not what it is set to.
 */
export function readAccounts(env: Readonly<Record<string, string | undefined>>): Partial<Accounts> {
  const accounts = Object.entries(accountSchemas).flatMap(([channel, schema]) => {
    const given = Object.keys(schema.shape).flatMap((name) =>
      env[name] ? [[name, env[name]]] : [],
    );
    if (given.length === 0) return [];
    const read = schema.safeParse(Object.fromEntries(given));
    if (read.success) return [[channel, read.data]];
    const [issue] = read.error.issues;
    const name = String(issue?.path[0]);
    throw new Error(
      env[name]
        ? `${name} ${issue?.message}`
        : `${channel} needs ${name} as well as ${given[0]?.[0]}`,
    );
  });
  return Object.fromEntries(accounts);
}

/** Whether a host is among `hosts`; `*.` at the beginning of one stands for any subdomain. */
export function isAmong(host: string, hosts: readonly string[]): boolean {
  return hosts.some((one) => (one.startsWith("*.") ? host.endsWith(one.slice(1)) : host === one));
}

/** Whether what is sent to `address` can be read by nobody on the way. */
export function isSafe(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "https:" || LOOPBACK.test(hostname);
}

function key(bytes: number) {
  const is = (given: string) => Buffer.from(given, "base64url").length === bytes;
  return z.string().refine(is, `must be ${bytes} bytes in base64url`);
}
