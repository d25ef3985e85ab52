/**
 * Reads requests from the wire. Everything that can be said of a request without looking at stored records
 * is checked here; what passes is well-formed, with its defaults filled in.
 */
import { z } from "zod";
import { DEFAULT_LIMITS, nullable, type RecordLimits } from "./fields.ts";
import { debugSchemas, requestSchemas } from "./request-schemas.ts";
import type { DebugKind, DebugRequest, Request, RequestHead, RequestKind } from "./requests.ts";
import { PROTOCOL_VERSION } from "./requests.ts";

export {
  DEFAULT_LIMITS,
  HEADER_LENGTH_MAX,
  ID_BYTES_CEILING,
  ID_LENGTH_MAX,
  PAGE_LIMIT_MAX,
  type RecordLimits,
  TAG_LENGTH_MAX,
  TAGS_MAX,
} from "./fields.ts";
export { FUNCTIONS_MAX, VERSIONS_MAX } from "./request-schemas.ts";

/** Longest trace context, in characters: what later versions add to the 55 of the first is for others. */
const TRACEPARENT_LENGTH_MAX = 256;
/** Longest cause of a release or a halt, in characters; longer ones are cut off, so that nothing fails for its reason. */
export const CAUSE_LENGTH_MAX = 2_000;

/** What to answer to what cannot be read: 400 with `message`, echoing `kind` and `corrId`. */
export interface Unread {
  readonly ok: false;
  readonly kind: string;
  readonly corrId: string;
  readonly message: string;
}

/** A request of which only the outside has been read: what is in `data` may be anything. */
export interface Envelope {
  readonly kind: string;
  readonly head: RequestHead;
  readonly data: Readonly<Record<string, unknown>>;
}

export type Parsed = { readonly ok: true; readonly request: Request } | Unread;

/** Reads one envelope that has been through `JSON.parse`, all of it. Never throws. */
export function parseRequest(input: unknown): Parsed {
  const opened = parseEnvelope(input);
  return opened.ok ? parseData(opened.envelope) : opened;
}

/** Reads the outside of an envelope: enough to see who asks for what. Never throws. */
export function parseEnvelope(
  input: unknown,
): { readonly ok: true; readonly envelope: Envelope } | Unread {
  const read = envelopeSchema.safeParse(input);
  if (!read.success) return unopened(input, `Invalid request envelope: ${problem(read.error)}`);
  const envelope = read.data;
  if (envelope.head.version === PROTOCOL_VERSION) return { ok: true, envelope };
  const { version } = envelope.head;
  return unopened(input, `Unsupported version '${version}'; supported: ${PROTOCOL_VERSION}`);
}

function unopened(input: unknown, message: string): Unread {
  const kind = salvage(input, "kind") ?? "unknown";
  const corrId = salvage(member(input, "head"), "corrId") ?? "0";
  return { ok: false, kind, corrId, message };
}

export type DataParser = (envelope: Envelope) => Parsed;

const defaultSchemas = requestSchemas(DEFAULT_LIMITS);

/** Reads the inside of an envelope, within the limits that hold where none are given. Never throws. */
export const parseData: DataParser = (envelope) => parseWith(defaultSchemas, envelope);

/** As `parseData`, within other limits. */
export function dataParser(limits: RecordLimits): DataParser {
  const schemas = requestSchemas(limits);
  return (envelope) => parseWith(schemas, envelope);
}

function parseWith(schemas: typeof defaultSchemas, { kind, head, data }: Envelope): Parsed {
  const { corrId } = head;
  if (!isRequestKind(kind)) {
    return { ok: false, kind, corrId, message: `Unknown operation: ${kind}` };
  }
  const parsed = schemas[kind].safeParse(data);
  if (!parsed.success) {
    return { ok: false, kind, corrId, message: `Invalid request: ${problem(parsed.error)}` };
  }
  // `data` was parsed by the schema of `kind`.
  return { ok: true, request: { kind, head, data: parsed.data } as Request };
}

/** Reads the inside of an envelope with a debug operation in it. Never throws. */
export function parseDebugData({
  kind,
  head,
  data,
}: Envelope): { readonly ok: true; readonly request: DebugRequest } | Unread {
  const { corrId } = head;
  if (!isDebugKind(kind)) {
    return { ok: false, kind, corrId, message: `Unknown operation: ${kind}` };
  }
  const parsed = debugSchemas[kind].safeParse(data);
  if (!parsed.success) {
    return { ok: false, kind, corrId, message: `Invalid request: ${problem(parsed.error)}` };
  }
  // As above.
  return { ok: true, request: { kind, head, data: parsed.data } as DebugRequest };
}

export function isDebugKind(kind: string): kind is DebugKind {
  return Object.hasOwn(debugSchemas, kind);
}

export function isRequestKind(kind: string): kind is RequestKind {
  return Object.hasOwn(defaultSchemas, kind);
}

const envelopeSchema = z.object({
  kind: z.string().min(1),
  head: z.object({
    corrId: z.string(),
    version: z.string(),
    auth: nullable(z.string()),
    "resonate:preload": z.enum(["delta", "none"]).optional().catch(undefined),
    "resonate:cause": z.string().transform(causeOf).optional().catch(undefined),
    "resonate:debug_time": nullable(z.int().min(0)),
    traceparent: z.string().max(TRACEPARENT_LENGTH_MAX).optional().catch(undefined),
  }),
  // Taken as it is: a record would look at every member, and the schema of the kind looks at those that count.
  data: z.custom<Readonly<Record<string, unknown>>>(isObject, "must be an object"),
});

function isObject(given: unknown): boolean {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}

function causeOf(text: string): string {
  // Stores keep text without NUL, and as UTF-8.
  return text.slice(0, CAUSE_LENGTH_MAX).replaceAll("\0", "\uFFFD").toWellFormed();
}

function problem(error: z.ZodError): string {
  const [issue] = error.issues;
  if (!issue) return "malformed";
  const path = issue.path.map(String).join(".");
  return path ? `${path}: ${issue.message}` : issue.message;
}

function member(input: unknown, name: string): unknown {
  return typeof input === "object" && input !== null
    ? (input as Record<string, unknown>)[name] // A look, not a belief: the result stays unknown.
    : undefined;
}

function salvage(input: unknown, name: string): string | undefined {
  const found = member(input, name);
  return typeof found === "string" && found !== "" ? found : undefined;
}
