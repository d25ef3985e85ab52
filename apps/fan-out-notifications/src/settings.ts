/** What a person can ask for and set. What is about one run is a flag; accounts are in the environment only. */
import { randomBytes, randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { type Accounts, isSafe, readAccounts } from "./accounts.ts";
import { AMBIGUOUS, CHANNELS, type Channel, type Event, eventSchema } from "./notification.ts";
import { type Branches, parseBranches, parsePerChannel } from "./per-channel.ts";

/** What was asked for cannot be done as it was asked: exit code 2. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

export interface Settings {
  readonly event: Event;
  /** Channels that are told at once, each with a fallback or without. */
  readonly branches: Branches;
  readonly policy: "all" | "any" | number;
  /** How long a provider may take to answer, in ms, where it is not 5 s. */
  readonly timeoutMs: PerChannel<number>;
  /** What becomes of a message whose fate is unknown, where it is not the default. */
  readonly ambiguous: PerChannel<(typeof AMBIGUOUS)[number]>;
  readonly attemptsMax: number;
  /** How long a recipient has to acknowledge what has a fallback, in ms. */
  readonly acknowledgeMs: number;
  /** Whether any of the above was asked for: an event that is on record has its own. */
  readonly explicit: boolean;
  /** The file with the recipients, or how many of the sandbox's; absent: one of the sandbox's. */
  readonly list?: { readonly path: string } | { readonly sample: number };
  /** Of many recipients, how many are notified at a time. */
  readonly concurrency: number;
  /** Requests in a second that this process makes at most, where that is not the default. */
  readonly rates: PerChannel<number>;
  /** Which of the two versions of the function runs. */
  readonly style: "generator" | "async";
  /** The push provider of the sandbox fails its first request. */
  readonly crash: boolean;
  /** Nobody looks at the devices of the sandbox. */
  readonly unseen: boolean;
  readonly accounts: Partial<Accounts>;
  readonly acknowledge: {
    readonly url?: string;
    readonly port: number;
    readonly secret: string;
  };
  /** Where the server is; without one everything is kept in a file. */
  readonly server?: string;
  /** What the server knows us by, where it asks. */
  readonly token?: string;
  /** The folder for that file, for results, and for what the sandbox received. */
  readonly data: string;
  /** Events as lines of JSON. */
  readonly json: boolean;
}

type PerChannel<T> = Readonly<Partial<Record<Channel, T>>>;

export type Asked =
  | { readonly kind: "run"; readonly settings: Settings }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "wrong"; readonly line: string };

/** Reads the words after the program's name, and the environment. */
export function readSettings(words: readonly string[], env = process.env): Asked {
  try {
    const { values } = parseArgs({ args: [...words], options: FLAGS });
    if (values.help) return { kind: "help", text: HELP };
    const given = schema.parse({
      ...values,
      server: values.server ?? (env["RESONATE_URL"] || undefined),
      data: values.data ?? (env["NOTIFICATIONS_DATA"] || undefined),
      acknowledgeUrl: env["ACKNOWLEDGE_URL"] || undefined,
      acknowledgePort: env["ACKNOWLEDGE_PORT"] || undefined,
      acknowledgeSecret: env["ACKNOWLEDGE_SECRET"] || undefined,
    });
    const explicit = ABOUT_THE_EVENT.some((name) => values[name] !== undefined);
    const token = env["RESONATE_TOKEN"] || undefined;
    const accounts = readAccounts(env);
    return { kind: "run", settings: settingsOf(given, { explicit, token, accounts }) };
  } catch (error) {
    return { kind: "wrong", line: `fan-out-notifications: ${problem(error)}. Try --help.` };
  }
}

const FLAGS = {
  order: { type: "string" },
  subject: { type: "string" },
  text: { type: "string" },
  channels: { type: "string" },
  policy: { type: "string" },
  recipients: { type: "string" },
  sample: { type: "string" },
  concurrency: { type: "string" },
  "timeout-ms": { type: "string" },
  attempts: { type: "string" },
  ambiguous: { type: "string" },
  "seen-ms": { type: "string" },
  rate: { type: "string" },
  style: { type: "string" },
  crash: { type: "boolean" },
  unseen: { type: "boolean" },
  server: { type: "string" },
  data: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** What is on record once the event has begun. */
const ABOUT_THE_EVENT = [
  ...["subject", "text", "channels", "policy", "recipients", "sample"],
  ...["concurrency", "timeout-ms", "attempts", "ambiguous", "seen-ms"],
] as readonly (keyof typeof FLAGS)[];

const schema = z.object({
  order: z.string().default(() => randomUUID().slice(0, 8)),
  subject: z.string().optional(),
  text: z.string().optional(),
  channels: z
    .string()
    .default("email,sms,slack,push")
    .transform((given, context) => parseBranches(given, fail(context))),
  policy: z
    .union([z.enum(["all", "any"]), whole("--policy", { min: 1, max: CHANNELS.length })], {
      error: "--policy must be 'all', 'any' or a number of channels",
    })
    .default("all"),
  recipients: z.string().min(1, "--recipients must name a file").optional(),
  sample: whole("--sample", { min: 1, max: 10_000 }).optional(),
  concurrency: whole("--concurrency", { min: 1, max: 1_000 }).default(100),
  "timeout-ms": perChannel("--timeout-ms", whole("", { min: 1, max: 600_000 }), "sms=5000"),
  attempts: whole("--attempts", { min: 1, max: 100 }).default(6),
  ambiguous: perChannel("--ambiguous", z.enum(AMBIGUOUS), `sms=${AMBIGUOUS.join("|")}`),
  "seen-ms": whole("--seen-ms", { min: 1, max: 86_400_000 }).default(3_000),
  rate: perChannel("--rate", whole("", { min: 1, max: 10_000 }), "slack=1"),
  style: z
    .enum(["generator", "async"], "--style must be 'generator' or 'async'")
    .default("generator"),
  crash: z.boolean().default(false),
  unseen: z.boolean().default(false),
  server: z
    .url({ protocol: /^https?$/, error: "--server (RESONATE_URL) must be an http or https URL" })
    .optional(),
  data: z
    .string()
    .min(1, "--data (NOTIFICATIONS_DATA) must name a folder")
    .default(fileURLToPath(new URL("../.resonate", import.meta.url))),
  json: z.boolean().default(false),
  acknowledgeUrl: z
    .url({ protocol: /^https?$/, error: "ACKNOWLEDGE_URL must be an http or https URL" })
    .refine(isSafe, "ACKNOWLEDGE_URL must be https (http only on loopback)")
    .optional(),
  acknowledgePort: whole("ACKNOWLEDGE_PORT", { min: 0, max: 65_535 }).default(0),
  acknowledgeSecret: z
    .string()
    .min(16, "ACKNOWLEDGE_SECRET must have at least 16 characters")
    .default(() => randomBytes(32).toString("base64url")),
});

function settingsOf(
  given: z.infer<typeof schema>,
  more: {
    readonly explicit: boolean;
    readonly token: string | undefined;
    readonly accounts: Partial<Accounts>;
  },
): Settings {
  const { order, channels, recipients, sample, policy, server, acknowledgeUrl } = given;
  const { token, ...rest } = more;
  if (recipients !== undefined && sample !== undefined) {
    throw new SettingsError("--recipients and --sample exclude each other");
  }
  if (typeof policy === "number" && policy > channels.length) {
    throw new SettingsError(`--policy ${policy} is more than there are channels`);
  }
  if (given.crash && more.accounts.push) {
    throw new SettingsError("--crash is for the sandbox, and there is an account for push");
  }
  const list =
    (recipients !== undefined && { path: recipients }) || (sample !== undefined && { sample });
  return {
    ...rest,
    ...pick(given, ["concurrency", "style", "crash", "unseen", "data", "json"]),
    event: eventOf({ id: order, subject: given.subject, text: given.text }),
    branches: channels,
    policy,
    timeoutMs: given["timeout-ms"],
    ambiguous: given.ambiguous,
    attemptsMax: given.attempts,
    acknowledgeMs: given["seen-ms"],
    rates: given.rate,
    ...(list && { list }),
    acknowledge: {
      port: given.acknowledgePort,
      secret: given.acknowledgeSecret,
      ...(acknowledgeUrl !== undefined && { url: acknowledgeUrl }),
    },
    ...(server !== undefined && { server }),
    ...(token !== undefined && { token }),
  };
}

/** @throws SettingsError that names the flag. */
function eventOf(given: {
  id: string;
  subject: string | undefined;
  text: string | undefined;
}): Event {
  const { id, subject, text } = given;
  const read = eventSchema.safeParse({
    id,
    subject: subject ?? `Order ${id} is on its way`,
    text: text ?? `Order ${id} has been shipped.`,
  });
  if (read.success) return read.data;
  // The id first: the other two contain it.
  const [issue] = read.error.issues;
  const field = String(issue?.path[0]);
  throw new SettingsError(`--${field === "id" ? "order" : field} ${issue?.message}`);
}

function pick<T, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  // Each of the names is one of those that are picked.
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>;
}

function whole(flag: string, { min, max }: { readonly min: number; readonly max: number }) {
  const error = `${flag} must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, error)
    .transform(Number)
    .refine((number) => number >= min && number <= max, error);
}

function perChannel<T>(flag: string, value: z.ZodType<T>, example: string) {
  return z
    .string()
    .default("")
    .transform((given, context) => {
      const error = `${flag} must be channels and values such as ${example}`;
      return parsePerChannel(given, value) ?? fail(context)(error);
    });
}

function fail(context: z.RefinementCtx) {
  return (message: string): never => {
    context.addIssue(message);
    return z.NEVER;
  };
}

const HELP = `Usage: fan-out-notifications [flags]

Tells customers about an order by email, SMS, Slack and push, all at once and each delivered once.
Kill it half-way and start it again with the same --order: it goes on where it was.

What is told, and to whom:
  --order ID              the order (default: a new one)
  --subject LINE          default "Order ID is on its way"
  --text TEXT             default "Order ID has been shipped."
  --recipients FILE       a JSON object per line: id, and any of name, email, phone, push (a browser's subscription)
  --sample N              N recipients of the sandbox, up to 10000 (default: one, without a list)
  --channels LIST         out of email, sms, slack, push, webhook (default email,sms,slack,push);
                          push/sms is sms unless push is acknowledged in time
  --seen-ms MS            how long that is (default 3000)
  --policy all|any|N      how many channels have to deliver (default all); else the exit code is 1

How it is sent:
  --concurrency N         recipients at a time (default 100)
  --timeout-ms sms=MS,…   how long a provider may take to answer (default 5000)
  --attempts N            requests per message (default 6)
  --ambiguous sms=HOW,…   a message whose fate is unknown: retry, fail or reconcile (default retry; sms reconcile)
  --rate slack=N,…        requests in a second (default with an account: slack 1, sms 10, email 14)
  --style generator|async which version of the function runs (default generator)
  --crash                 the push provider of the sandbox fails its first request
  --unseen                nobody looks at the devices of the sandbox

Where:
  --server URL            a server (RESONATE_URL; default: none, everything is kept in a file)
  --data DIR              where files are kept (NOTIFICATIONS_DATA; default: .resonate in the app's folder)
  --json                  events as lines of JSON
  -h, --help              print this

Accounts, in the environment only. A channel without one is delivered to the sandbox:
  email    SMTP_URL, SMTP_FROM
  sms      TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_FROM (TWILIO_API_URL for one like it)
  slack    SLACK_WEBHOOK_URL
  push     VAPID_SUBJECT, VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY (PUSH_HOSTS: push services that are allowed)
  webhook  WEBHOOK_URL, WEBHOOK_SECRET
ACKNOWLEDGE_URL, ACKNOWLEDGE_PORT, ACKNOWLEDGE_SECRET: where devices acknowledge (default: loopback only).
RESONATE_TOKEN: what the server knows us by.
`;

function problem(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map(({ message }) => message).join("; ");
  if (!(error instanceof Error)) throw error;
  // The first sentence of what Node says about flags: the rest is about words that begin with '-'.
  return error.message.split(/\.\s/)[0] ?? error.message;
}
