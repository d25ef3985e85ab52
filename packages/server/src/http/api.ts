/** `POST /`: an envelope, or an array of them, in; the same out. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import {
  type DebugRequest,
  type DebugResponse,
  PROTOCOL_VERSION,
  type Refusal,
  type Request,
  type Response,
} from "@resonate-ts/protocol";
import {
  type DataParser,
  dataParser,
  type Envelope,
  parseDebugData,
  parseEnvelope,
} from "@resonate-ts/protocol/parse";
import { z } from "zod";
import { BATCH_ENTRIES_MAX, type Engine } from "../engine/engine.ts";
import type { Logger } from "../logger.ts";
import { type Authenticator, bearerOf, type Identity } from "./auth.ts";
import { permits } from "./authorization.ts";
import { type BodyReader, hangUp } from "./body.ts";
import type { Metrics } from "./metrics.ts";
import { sendJson } from "./respond.ts";

/** What reads requests, for those who put the server together. */
export { dataParser };

export interface Api {
  readonly engine: Pick<Engine, "process" | "debugging">;
  readonly auth: Authenticator;
  readonly bodies: BodyReader;
  /** Reads requests, within the limits of records. */
  readonly parse: DataParser;
  readonly metrics: Pick<Metrics, "answered">;
  /** Absent: nobody is told of single requests. */
  readonly traces: { answered(request: TracedRequest, ms: number): void } | undefined;
  readonly logger: Logger;
}

/** A request that has been answered. */
export interface TracedRequest {
  readonly kind: string;
  readonly status: number;
  /** The trace that it is part of, as the client wrote it. */
  readonly traceparent?: string | undefined;
}

type Answer = Response | DebugResponse | Refusal;

/** Answers one `POST /`. */
export async function answerPost(
  api: Api,
  request: IncomingMessage,
  response: ServerResponse,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  const body = await api.bodies.read(request);
  switch (body.kind) {
    case "gone":
      return;
    case "refused":
      // What is left of the body is not read, so the connection cannot be used again.
      sendOne(response, refuse(body.status, body.message), { ...headers, Connection: "close" });
      return hangUp(response);
    case "not UTF-8":
      return sendOne(response, invalid("the body is not UTF-8"), headers);
    case "text":
      return answerText(api, { text: body.text, bearer: bearerOf(request) }, response, headers);
  }
}

function answerText(
  api: Api,
  { text, bearer }: { readonly text: string; readonly bearer: string | undefined },
  response: ServerResponse,
  headers: OutgoingHttpHeaders,
): Promise<void> | void {
  const input = parseJson(text);
  if (!input.ok) return sendOne(response, invalid(input.message), headers);
  if (!Array.isArray(input.value)) {
    return answerAll(api, [input.value], bearer).then(([answer]) =>
      sendOne(response, answer ?? refuse(500, INTERNAL_ERROR), headers),
    );
  }
  if (input.value.length > BATCH_ENTRIES_MAX) {
    const message = `a batch has at most ${BATCH_ENTRIES_MAX} entries, got ${input.value.length}`;
    return sendOne(response, invalid(message), headers);
  }
  return answerAll(api, input.value, bearer).then((answers) =>
    sendJson(response, 200, JSON.stringify(answers), headers),
  );
}

/** An input that has been looked at: what is to be done, or the answer already. */
type Admitted =
  | { readonly kind: "request"; readonly request: Request }
  | { readonly kind: "debug"; readonly request: DebugRequest }
  | { readonly kind: "answered"; readonly answer: Refusal };
type Ordinary = Exclude<Admitted, { readonly kind: "debug" }>;

/** Answers each input in its own place: a bad one is refused there, and the others still apply. */
async function answerAll(
  api: Api,
  inputs: readonly unknown[],
  bearer: string | undefined,
): Promise<readonly Answer[]> {
  const startedAt = performance.now();
  const opened = inputs.map(parseEnvelope);
  const tokens = opened.map((one) => (one.ok ? (one.envelope.head.auth ?? bearer) : undefined));
  // A request over HTTP has one token; what shows another is refused, and costs nothing to check.
  const token = bearer ?? tokens.find((one) => one !== undefined);
  const identity = await api.auth.identify(token);
  const admitted = opened.map((one, at): Admitted => {
    if (!one.ok) return { kind: "answered", answer: refuse(400, one.message, echo(one)) };
    const shown = tokens[at] === token ? identity : undefined;
    return admit(api, one.envelope, shown);
  });
  const answers = await perform(api, admitted);
  const ms = performance.now() - startedAt;
  opened.forEach((one, at) => {
    const answer = answers[at];
    // What is no envelope names no kind that could be believed.
    if (!one.ok || !answer) return;
    const request = { kind: answer.kind, status: answer.head.status };
    api.metrics.answered(request, ms / 1_000);
    api.traces?.answered({ ...request, traceparent: traceparentOf(one.envelope) }, ms);
  });
  return answers;
}

/** Where clients write which trace they are in: the head, or the headers of the parameters that a promise is created with. */
function traceparentOf({ head, data }: Envelope): string | undefined {
  if (head.traceparent !== undefined) return head.traceparent;
  const read = PARAM_HEADERS.safeParse(data);
  if (!read.success) return undefined;
  const { param, action } = read.data;
  return param?.headers?.traceparent ?? action?.data?.param?.headers?.traceparent;
}

const PARAM = z.object({ headers: z.object({ traceparent: z.string().optional() }).nullish() });
const PARAM_HEADERS = z.object({
  param: PARAM.nullish(),
  action: z.object({ data: z.object({ param: PARAM.nullish() }).nullish() }).nullish(),
});

/** Whether a request is to be done; everything that can be said of it without the engine is said here. */
function admit(api: Api, envelope: Envelope, identity: Identity | undefined): Admitted {
  const { kind, head } = envelope;
  const answered = (status: number, message: string): Admitted => ({
    kind: "answered",
    answer: refuse(status, message, { kind, head }),
  });
  // The words are always the same: they tell nothing of why, nor of what there is.
  if (!identity) return answered(401, "Unauthorized");
  if (!permits(identity.scope, envelope)) return answered(403, "Forbidden");
  if (!kind.startsWith("debug.")) {
    const parsed = api.parse(envelope);
    return parsed.ok ? { kind: "request", request: parsed.request } : answered(400, parsed.message);
  }
  if (!api.engine.debugging) return answered(403, "Debug operations are disabled");
  const parsed = parseDebugData(envelope);
  return parsed.ok ? { kind: "debug", request: parsed.request } : answered(400, parsed.message);
}

/** Does what was admitted, in order. What lies between debug operations goes to the engine together. */
async function perform(api: Api, admitted: readonly Admitted[]): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  let run: Ordinary[] = [];
  for (const one of admitted) {
    if (one.kind !== "debug") run.push(one);
    else {
      answers.push(...(await process(api, run)), await processDebug(api, one.request));
      run = [];
    }
  }
  return [...answers, ...(await process(api, run))];
}

/** What a client is told of a fault of ours; the log says more. What was asked may have been done. */
const INTERNAL_ERROR = "Internal error: it is not known whether this was done";

async function process(
  { engine, logger }: Api,
  run: readonly Ordinary[],
): Promise<readonly Answer[]> {
  const requests = run.flatMap((one) => (one.kind === "request" ? one.request : []));
  let done: readonly Answer[] = [];
  try {
    if (requests.length > 0) done = await engine.process(requests);
  } catch (error) {
    logger.error({ error, kinds: requests.map(({ kind }) => kind) }, "requests failed");
  }
  const answers = done.values();
  return run.map((one) => {
    if (one.kind === "answered") return one.answer;
    return answers.next().value ?? refuse(500, INTERNAL_ERROR, one.request);
  });
}

async function processDebug({ engine, logger }: Api, request: DebugRequest): Promise<Answer> {
  try {
    const answer = await engine.debugging?.answer(request);
    return answer ?? refuse(403, "Debug operations are disabled", request);
  } catch (error) {
    logger.error({ error, kind: request.kind }, "a debug operation failed");
    return refuse(500, INTERNAL_ERROR, request);
  }
}

function sendOne(response: ServerResponse, answer: Answer, headers: OutgoingHttpHeaders): void {
  const { status } = answer.head;
  const more = status === 503 ? { ...headers, "Retry-After": "1" } : headers;
  sendJson(response, status, JSON.stringify(answer), more);
}

function invalid(message: string): Refusal {
  return refuse(400, `Invalid request envelope: ${message}`);
}

function echo({ kind, corrId }: { readonly kind: string; readonly corrId: string }) {
  return { kind, head: { corrId } };
}

/** `to` is what is answered; without it nothing of the request could be read. */
function refuse(
  status: number,
  message: string,
  to: { kind: string; head: { corrId: string } } = { kind: "unknown", head: { corrId: "0" } },
): Refusal {
  const { corrId } = to.head;
  return { kind: to.kind, head: { corrId, status, version: PROTOCOL_VERSION }, data: message };
}

function parseJson(text: string): { ok: true; value: unknown } | { ok: false; message: string } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : "not JSON" };
  }
}
