/** Sends what changes something: ordinary requests of the protocol, as any client does. */
import {
  PROTOCOL_VERSION,
  type RequestData,
  type RequestKind,
  type ResponseData,
} from "@resonate-ts/protocol";
import { errorOf } from "./read.ts";
import { Refusal, refused, unreachable } from "./refusal.ts";
import { authorization } from "./token.ts";

/**
 * The data of the answer. What has a default may be left out.
 *
 * @throws Refusal with what the server said, when it refuses.
 */
export async function act<K extends RequestKind>(
  kind: K,
  data: Partial<RequestData[K]>,
): Promise<ResponseData[K]> {
  const head = { corrId: `ui-${crypto.randomUUID()}`, version: PROTOCOL_VERSION };
  const response = await post(JSON.stringify({ kind, head, data }));
  const answer = readAnswer(await response.json().catch(() => undefined));
  if (answer === undefined) throw unreachable();
  if (answer.status === 200) return answer.data as ResponseData[K]; // The protocol says what an answer of 200 holds.
  throw refused(answer.status, messageOf(answer));
}

async function post(body: string): Promise<Response> {
  const headers = { "Content-Type": "application/json", ...authorization() };
  try {
    return await fetch("/", { method: "POST", headers, body });
  } catch {
    throw unreachable();
  }
}

interface Answer {
  readonly status: number;
  readonly data: unknown;
}

function readAnswer(body: unknown): Answer | undefined {
  const error = errorOf(body);
  if (error !== undefined) throw new Refusal(400, error);
  if (typeof body !== "object" || body === null || !("head" in body)) return undefined;
  const { head } = body;
  if (typeof head !== "object" || head === null || !("status" in head)) return undefined;
  if (typeof head.status !== "number") return undefined;
  return { status: head.status, data: "data" in body ? body.data : undefined };
}

function messageOf({ status, data }: Answer): string {
  return typeof data === "string" ? data : `${status}: ${JSON.stringify(data)}`;
}
