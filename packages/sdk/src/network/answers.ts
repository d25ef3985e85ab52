/** What came back over HTTP, read with care: other things than Resonate servers answer on ports. */
import { PROTOCOL_VERSION, type Refusal, type Request, type Response } from "@resonate-ts/protocol";
import type { Extension } from "./network.ts";

/** One HTTP response, read to its end. */
export interface HttpReply {
  readonly status: number;
  readonly text: string;
}

/** What an exchange came to, for the requests that were sent in it. */
export type Outcome =
  /** One entry per request; `undefined` where that one has to be sent again. One at least has its answer. */
  | { readonly kind: "answered"; readonly answers: readonly (Response | Refusal | undefined)[] }
  /** Nothing usable: all have to be sent again. */
  | { readonly kind: "failed"; readonly cause: Error }
  /** They were refused for being sent together. */
  | { readonly kind: "split" };

/** Longest part of a foreign answer that is shown, in characters. */
const SHOWN_LENGTH_MAX = 300;

/** Statuses that may be different next time. */
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Statuses that only a Resonate server may give: from anything else they say that the address is wrong. */
const OURS_ONLY = new Set([404, 409, 422]);

/** Reads the reply to one request. */
export function readReply(request: Request, reply: HttpReply): Outcome {
  const answer = answerTo(request, parse(reply.text));
  if (answer) {
    if (!TRANSIENT.has(answer.head.status)) return { kind: "answered", answers: [answer] };
    return { kind: "failed", cause: passing(answer) };
  }
  const { status } = reply;
  if (status < 400 || status >= 500 || TRANSIENT.has(status) || OURS_ONLY.has(status)) {
    return { kind: "failed", cause: foreign(reply) };
  }
  return { kind: "answered", answers: [refusalOf(request, reply)] };
}

/** Reads the reply to a batch of two or more. */
export function readBatchReply(requests: readonly Request[], reply: HttpReply): Outcome {
  const { status } = reply;
  if (status >= 400 && status < 500 && !TRANSIENT.has(status)) return { kind: "split" };
  const parsed = parse(reply.text);
  if (!Array.isArray(parsed) || parsed.length !== requests.length) {
    return { kind: "failed", cause: foreign(reply) };
  }
  const read = requests.map((request, i) => answerTo(request, parsed[i]));
  const answers = read.map((answer) =>
    answer && !TRANSIENT.has(answer.head.status) ? answer : undefined,
  );
  if (answers.some((answer) => answer !== undefined)) return { kind: "answered", answers };
  // None has its answer, so all of it can be sent again in its order.
  return { kind: "failed", cause: read[0] ? passing(read[0]) : foreign(reply) };
}

/** The extensions that a `Resonate-Extensions` header names, as far as this client knows them. */
export function readExtensions(header: string | string[] | undefined): ReadonlySet<Extension> {
  const names = new Set(
    String(header ?? "")
      .split(",")
      .map((name) => name.trim()),
  );
  const known: readonly Extension[] = ["batch", "lease", "delta", "claim", "then"];
  return new Set(known.filter((name) => names.has(name)));
}

/** The answer, if `parsed` is one to this request. */
function answerTo(request: Request, parsed: unknown): Response | Refusal | undefined {
  if (!isObject(parsed) || parsed.kind !== request.kind || !isObject(parsed.head)) return undefined;
  const { corrId, status } = parsed.head;
  if (corrId !== request.head.corrId || typeof status !== "number") return undefined;
  const succeeded = status === 200 || status === 300;
  if (succeeded !== isObject(parsed.data)) return undefined;
  // The envelope was checked; what a server of this protocol puts into `data` follows from the kind.
  return parsed as unknown as Response | Refusal;
}

/** A refusal in plain text, as proxies and authentication give it. */
function refusalOf(request: Request, { status, text }: HttpReply): Refusal {
  return {
    kind: request.kind,
    head: { corrId: request.head.corrId, status, version: PROTOCOL_VERSION },
    data: shown(text) || `the server answered ${status}`,
  };
}

/** A refusal that may be none next time. */
function passing({ head, data }: Response | Refusal): Error {
  return new Error(`${head.status}: ${String(data)}`);
}

function foreign({ status, text }: HttpReply): Error {
  const answer = shown(text);
  return new Error(
    `it answered ${status} with something that is not a Resonate response${answer && `: ${answer}`}`,
  );
}

function shown(text: string): string {
  return text.slice(0, SHOWN_LENGTH_MAX).replace(/\s+/g, " ").trim();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
