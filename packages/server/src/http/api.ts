/** `POST /`: an envelope, or an array of them, in; the same out. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { PROTOCOL_VERSION, type Refusal, type Request, type Response } from "@resonate-ts/protocol";
import { parseRequest } from "@resonate-ts/protocol/parse";
import { BATCH_ENTRIES_MAX, type Engine } from "../engine/engine.ts";
import type { Logger } from "../logger.ts";
import { BODY_BYTES_MAX, hangUp, readBody } from "./body.ts";
import { sendJson } from "./respond.ts";

export interface Api {
  readonly engine: Pick<Engine, "process">;
  readonly logger: Logger;
}

/** Answers one `POST /`. */
export async function answerPost(
  api: Api,
  request: IncomingMessage,
  response: ServerResponse,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  const body = await readBody(request);
  switch (body.kind) {
    case "gone":
      return;
    case "too large": {
      const answer = refuse(413, `The body is larger than ${BODY_BYTES_MAX} bytes`);
      // What is left of the body is not read, so the connection cannot be used again.
      sendJson(response, 413, JSON.stringify(answer), { ...headers, Connection: "close" });
      return hangUp(response);
    }
    case "not UTF-8":
      return sendOne(response, invalid("the body is not UTF-8"), headers);
    case "text":
      return answerText(api, body.text, response, headers);
  }
}

async function answerText(
  api: Api,
  text: string,
  response: ServerResponse,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  const input = parseJson(text);
  if (!input.ok) return sendOne(response, invalid(input.message), headers);
  if (!Array.isArray(input.value)) {
    const [answer = refuse(500, INTERNAL_ERROR)] = await answerAll(api, [input.value]);
    return sendOne(response, answer, headers);
  }
  if (input.value.length > BATCH_ENTRIES_MAX) {
    const message = `a batch has at most ${BATCH_ENTRIES_MAX} entries, got ${input.value.length}`;
    return sendOne(response, invalid(message), headers);
  }
  sendJson(response, 200, JSON.stringify(await answerAll(api, input.value)), headers);
}

/** Answers each input in its own place: a bad one is refused there, and the others still apply. */
async function answerAll(
  api: Api,
  inputs: readonly unknown[],
): Promise<readonly (Response | Refusal)[]> {
  const parsed = inputs.map(parseRequest);
  const requests = parsed.flatMap((entry) => (entry.ok ? [entry.request] : []));
  const answers = (requests.length > 0 ? await process(api, requests) : []).values();
  return parsed.map((entry) =>
    entry.ok
      ? (answers.next().value ?? refuse(500, INTERNAL_ERROR, entry.request))
      : refuse(400, entry.message, { kind: entry.kind, head: { corrId: entry.corrId } }),
  );
}

/** What a client is told of a fault of ours; the log says more. What was asked may have been done. */
const INTERNAL_ERROR = "Internal error: it is not known whether this was done";

async function process(
  { engine, logger }: Api,
  requests: readonly Request[],
): Promise<readonly (Response | Refusal)[]> {
  try {
    return await engine.process(requests);
  } catch (error) {
    logger.error({ error, kinds: requests.map(({ kind }) => kind) }, "requests failed");
    return requests.map((request) => refuse(500, INTERNAL_ERROR, request));
  }
}

function sendOne(
  response: ServerResponse,
  answer: Response | Refusal,
  headers: OutgoingHttpHeaders,
): void {
  sendJson(response, answer.head.status, JSON.stringify(answer), headers);
}

function invalid(message: string): Refusal {
  return refuse(400, `Invalid request envelope: ${message}`);
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
