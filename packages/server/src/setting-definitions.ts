/** Every setting there is: what may be given, what holds otherwise, and what it is for. */
import { isIP } from "node:net";
import { z } from "zod";
import { LOG_LEVELS } from "./logger.ts";
import { TargetGuard } from "./transports/target-guard.ts";

export interface Definition {
  /** Reads the text of an environment variable or a flag. */
  readonly schema: z.ZodType;
  /** What may be given, to follow "must be". */
  readonly allowed: string;
  /** All that may be given, where that is a few words. */
  readonly choices?: readonly string[];
  readonly initial: unknown;
  /** What holds when there is no `initial`. */
  readonly otherwise?: string;
  readonly help: string;
  /** Where it is not the key's own spelling. */
  readonly flag?: string;
  /** A variable that others read too, and that gives way to our own. */
  readonly env?: string;
  /** Takes several texts. */
  readonly list?: true;
  /** Is not shown, not even when it is wrong. */
  readonly secret?: true;
  /** Known to official servers, and of no effect here: why. */
  readonly unused?: string;
}

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .refine((number) => number >= min && number <= max);
const numberFrom = (min: number, max: number, of = "") => ({
  schema: wholeNumber(min, max),
  allowed: `a whole number${of} from ${min} to ${max}`,
});
const oneOf = <const V extends readonly [string, ...string[]]>(values: V) => ({
  schema: z.enum(values),
  allowed: values.join(", "),
  choices: values,
});
/** Longest time that a timer of Node can wait, in ms. */
const DURATION_MS_MAX = 2 ** 31 - 1;
const milliseconds = {
  schema: wholeNumber(0, DURATION_MS_MAX),
  allowed: "a whole number of milliseconds",
};
const someMilliseconds = {
  schema: wholeNumber(1, DURATION_MS_MAX),
  allowed: "a whole number of milliseconds above 0",
};
const yesOrNo = {
  schema: z.enum(["true", "false"]).transform((text) => text === "true"),
  allowed: "true, false",
};
const httpUrl = {
  schema: z.url({ protocol: /^https?$/ }),
  allowed: "a URL that starts with http:// or https://",
};
const text = { schema: z.string().min(1).optional(), allowed: "a text", initial: undefined };
const list = (item: z.ZodType<string, string>) =>
  z
    .string()
    .transform((given) => given.split(",").map((one) => one.trim()))
    .pipe(z.array(item));
const off = (why: string) => ({
  schema: z.literal("false").transform(() => false),
  allowed: `false (${why})`,
  initial: false,
});

/** Largest limit in bytes: beyond it one text could not be held. */
const BYTES_MAX = 256 * 1024 * 1024;

const served = {
  level: {
    ...oneOf(LOG_LEVELS),
    initial: "info",
    help: "least severe log lines that are written",
  },
  debug: {
    ...yesOrNo,
    initial: false,
    help: "take debug operations, which can move the clock and wipe all data",
  },
  "server.host": {
    schema: z.string().regex(/^[\w.-]+$|^\[[\da-f:]+\]$/i),
    allowed: "a host name or an address",
    initial: "localhost",
    help: "name under which clients on this machine reach the server",
  },
  "server.port": {
    schema: wholeNumber(0, 65_535),
    allowed: "a port from 0 to 65535 (0: any free one)",
    initial: 8001,
    help: "port to listen on; 0 takes any free one",
  },
  "server.bind": {
    schema: z.string().refine((given) => given === "localhost" || isIP(given) !== 0),
    allowed: "an IP address of this machine",
    initial: "127.0.0.1",
    help: "address to listen on",
  },
  "server.shutdown_timeout": {
    ...milliseconds,
    initial: 10_000,
    help: "longest time that stopping may take, in ms",
  },
  "server.url": {
    ...httpUrl,
    schema: httpUrl.schema.optional(),
    initial: undefined,
    otherwise: "http://HOST:PORT",
    help: "URL under which workers elsewhere reach the server",
  },
  "server.cors.allow_origins": {
    schema: list(z.union([z.literal("*"), z.string().refine(isOrigin)])),
    allowed: "origins such as https://example.com, separated by commas, or *",
    initial: [],
    help: "web origins whose pages may use the server; * lets all",
    flag: "--server-cors-allow-origin",
    list: true,
  },
  ui: {
    ...yesOrNo,
    initial: true,
    help: "serve the page at /ui, and what it shows; --ui false closes that door",
  },
  "auth.publickey": {
    ...text,
    allowed: "the path of a PEM file, or none",
    help: "public key that tokens are checked with (RSA, EC P-256 or P-384, Ed25519), as a PEM file; none: claims are checked and signatures are not",
    otherwise: "no tokens are asked for",
  },
  "auth.iss": { ...text, help: "what the claim iss of a token must be", otherwise: "anything" },
  "auth.aud": {
    ...text,
    help: "what the claim aud of a token must contain",
    otherwise: "anything",
  },
  "storage.type": {
    ...oneOf(["sqlite", "postgres", "memory"]),
    allowed: "sqlite, postgres, memory (MySQL is not planned)",
    initial: "sqlite",
    help: "where records are kept; several servers may share PostgreSQL, and memory forgets at the end",
  },
  "storage.sqlite.path": {
    schema: z.string().refine(namesFile),
    allowed: "the path of a file",
    initial: "resonate.db",
    help: "file of the database, created when absent",
  },
  "storage.sqlite.synchronous": {
    ...oneOf(["full", "normal"]),
    initial: "full",
    help: "full: an answered write survives power loss; normal: a crash of the process",
  },
  "storage.postgres.url": {
    schema: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    allowed: "a URL such as postgres://user:password@host:5432/database",
    initial: undefined,
    otherwise: "none",
    help: "database in PostgreSQL that records are kept in, in its schema resonate",
    secret: true,
  },
  "storage.postgres.pool_size": {
    ...numberFrom(2, 1_000),
    initial: 10,
    help: "most connections of this server to PostgreSQL, besides one that listens to other servers",
  },
  "storage.postgres.pooler": {
    ...yesOrNo,
    initial: false,
    help: "PostgreSQL is reached by a pooler that gives each transaction another connection, such as pgbouncer",
  },
  "tasks.retry_timeout": {
    ...someMilliseconds,
    initial: 30_000,
    help: "how long an offered task may stay unclaimed before it is offered again, in ms",
  },
  "retention.age": {
    schema: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional(),
    allowed: "a whole number of milliseconds above 0",
    initial: undefined,
    help: "how long ago a run must have ended to be forgotten, in ms",
    otherwise: "nothing is forgotten",
  },
  "transports.http_poll.enabled": {
    ...yesOrNo,
    initial: true,
    help: "let workers open streams; --transports-http-poll-enabled false closes that door",
  },
  "transports.http_poll.max_connections": {
    ...numberFrom(1, 100_000),
    initial: 1_000,
    help: "most streams that may be open",
  },
  "transports.http_push.enabled": {
    ...yesOrNo,
    initial: true,
    help: "deliver to http and https targets",
  },
  "transports.http_push.concurrency": {
    ...numberFrom(1, 10_000),
    initial: 256,
    help: "most deliveries under way at once",
  },
  "transports.http_push.connect_timeout": {
    ...someMilliseconds,
    initial: 10_000,
    help: "longest time to connect to a target, in ms",
  },
  "transports.http_push.request_timeout": {
    ...someMilliseconds,
    initial: 180_000,
    help: "longest time that a target may take to answer, in ms",
  },
  "transports.http_push.allow_targets": {
    schema: list(z.string().refine(isTarget)),
    allowed: "host names, addresses or ranges such as 10.0.0.0/8, separated by commas",
    initial: [],
    help: "private hosts and address ranges that may be delivered to; public ones always may, and programs on this machine while server.bind is of this machine alone",
    list: true,
  },
  "transports.http_push.auth.mode": {
    ...oneOf(["none", "bearer"]),
    allowed: "none, bearer (there are no Google identities here)",
    initial: "none",
    help: "how the server shows targets who it is",
  },
  "transports.http_push.auth.token": {
    ...text,
    secret: true,
    help: "token sent to the hosts that allow_targets names, and to no others, when the mode is bearer",
  },
  "transports.http_push.auth.header": {
    schema: z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/),
    allowed: "the name of a header",
    initial: "Authorization",
    help: "header that carries the token",
  },
  "observability.metrics_port": {
    schema: wholeNumber(0, 65_535).optional(),
    allowed: "a port from 1 to 65535, or 0 for none",
    initial: undefined,
    otherwise: "none",
    help: "second port for /metrics, which is on the server's own port too",
  },
  "observability.otlp_endpoint": {
    ...httpUrl,
    schema: httpUrl.schema.optional(),
    initial: undefined,
    otherwise: "OTEL_EXPORTER_OTLP_ENDPOINT, else none",
    env: "OTEL_EXPORTER_OTLP_ENDPOINT",
    help: "URL of a collector of OpenTelemetry that spans of requests and commits are sent to, as OTLP over HTTP",
  },
  "limits.body_bytes": {
    ...numberFrom(1_024, BYTES_MAX, " of bytes"),
    initial: 2 * 1024 * 1024,
    help: "largest body of a request, in bytes",
  },
  "limits.reply_bytes": {
    ...numberFrom(1_024, BYTES_MAX, " of bytes"),
    initial: 8 * 1024 * 1024,
    help: "bytes of records in an answer beyond which it leaves out preloads, ends a page, or leaves the rest of a batch undone",
  },
  "limits.streams_per_prefix": {
    ...numberFrom(1, 100_000),
    initial: 250,
    help: "most streams that may be open with tokens of one prefix",
  },
  insecure: {
    ...yesOrNo,
    initial: false,
    help: "let the server listen beyond this machine without authentication",
  },
} satisfies Readonly<Record<string, Definition>>;

const count = { ...numberFrom(1, 1_000_000), schema: wholeNumber(1, 1_000_000).optional() };
const time = { ...milliseconds, schema: milliseconds.schema.optional() };
const unset = (unused: string) => ({ initial: undefined, help: unused, unused });

const MYSQL = "there is no MySQL storage";
const GCPS = "nothing is delivered to Google Pub/Sub";
const TIMERS = "timers and messages are taken when they are due, not by looking every so often";

const unserved = {
  "storage.mysql.url": { ...text, ...unset(MYSQL), secret: true },
  "storage.mysql.pool_size": { ...count, ...unset(MYSQL) },
  "tasks.lease_timeout": { ...time, ...unset("the server runs no tasks of its own") },
  "timeouts.poll_interval": { ...time, ...unset(TIMERS) },
  "messages.poll_interval": { ...time, ...unset(TIMERS) },
  "messages.batch_size": { ...count, ...unset(TIMERS) },
  "transports.http_poll.buffer_size": {
    ...count,
    ...unset("what waits for a slow reader is limited in bytes"),
  },
  "transports.http_push.auth.audience": {
    ...text,
    ...unset("there are no Google identities here"),
    flag: "--transports-http-push-auth-aud",
  },
  "transports.gcps.enabled": { ...off(GCPS), help: GCPS, unused: GCPS },
  "transports.gcps.project": { ...text, ...unset(GCPS) },
  "transports.gcps.concurrency": { ...count, ...unset(GCPS) },
  "transports.gcps.timeout": { ...time, ...unset(GCPS) },
  "transports.bash_exec.enabled": {
    ...off("this server runs no scripts"),
    help: "this server runs no scripts",
    unused: "this server runs no scripts",
  },
} satisfies Readonly<Record<string, Definition>>;

/** By key, in the order in which to show them. */
export const definitions = { ...served, ...unserved };

/** SQLite takes no path, and `:memory:`, for a database that it forgets; a folder is none. */
function namesFile(path: string): boolean {
  return path !== ":memory:" && !/(?:^|[/\\])\.{0,2}$/.test(path);
}

function isTarget(given: string): boolean {
  try {
    new TargetGuard({ allowTargets: [given] });
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function isOrigin(given: string): boolean {
  return URL.canParse(given) && new URL(given).origin === given;
}
