/** What every channel looks like from here, and how providers that speak HTTP are asked. */
import { Agent, request } from "undici";
import type { Answer } from "./judge.ts";
import type { Event, Recipient, Route } from "./notification.ts";

export interface Message {
  /** The same for every attempt: a provider that has seen it does not deliver again. */
  readonly key: string;
  readonly event: Event;
  readonly recipient: Recipient;
  /** Where the recipient's device says that it has been seen. */
  readonly acknowledgeUrl?: string;
}

export interface Adapter {
  /** Whether this is an account of ours, or the sandbox. */
  readonly via: Route["via"];
  /** One request. @throws what keeps it from getting an answer, and when `signal` fires. */
  send(message: Message, signal: AbortSignal): Promise<Answer>;
  /** Asks the provider whether it has the message; `busy` says that it has not. Absent: it cannot be asked. */
  find?(message: Message, signal: AbortSignal): Promise<Answer>;
  close?(): void;
}

/** Bytes of an answer that are read. */
const ANSWER_BYTES_MAX = 65_536;
/** Connections to one provider. */
const CONNECTIONS_MAX = 64;
const WHY_MAX = 200;

const agent = new Agent({ connections: CONNECTIONS_MAX });

export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

/** One HTTP request. Redirects are not followed: they would take credentials elsewhere. */
export async function ask(
  url: string,
  asked: {
    readonly method?: "GET" | "POST";
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string | Buffer;
    readonly signal: AbortSignal;
  },
): Promise<Response> {
  const { method = "POST", headers, body = null, signal } = asked;
  const response = await request(url, { method, headers, body, signal, dispatcher: agent });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > ANSWER_BYTES_MAX) break;
  }
  const text = Buffer.concat(chunks).toString();
  return { status: response.statusCode, headers: response.headers, text };
}

/** What an answer means. 2xx is what `accepted` makes of it; 408 and most of 5xx leave open whether it was delivered. */
export function answerOf(
  response: Response,
  { now, accepted }: { readonly now: number; readonly accepted: (response: Response) => string },
): Answer {
  const { status } = response;
  if (status >= 200 && status < 300) return { kind: "accepted", messageId: accepted(response) };
  const why = `answered ${status}${detail(response.text)}`;
  if (status === 429 || status === 503) {
    const afterMs = retryAfterMs(response.headers["retry-after"], now);
    return { kind: "busy", why, ...(afterMs !== undefined && { afterMs }) };
  }
  return { kind: status === 408 || status >= 500 ? "silent" : "refused", why };
}

/** What it means that a request got no answer. */
export function answerTo(error: unknown): Answer {
  const { code, command, responseCode, response, message } = fieldsOf(error);
  if (responseCode !== undefined) {
    const why = `answered ${oneLine(response ?? String(responseCode))}`;
    return { kind: responseCode >= 500 ? "refused" : "busy", why };
  }
  const why = oneLine(message ?? code ?? "no answer");
  const unheard = command === "CONN" || (code !== undefined && NEVER_CONNECTED.has(code));
  return { kind: unheard ? "busy" : "silent", why };
}

/** What went wrong before anything was sent. */
const NEVER_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "EDNS",
]);

/** In ms from now: a number of seconds, or a date (RFC 9110, 10.2.3). */
export function retryAfterMs(
  given: string | readonly string[] | undefined,
  now: number,
): number | undefined {
  if (typeof given !== "string") return undefined;
  if (/^\d{1,9}$/.test(given)) return Number(given) * 1_000;
  const at = Date.parse(given);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

interface Failure {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly response?: string;
  readonly message?: string;
}

function fieldsOf(error: unknown): Failure {
  const fields: Record<string, unknown> = Object(error);
  const text = (name: string) => (typeof fields[name] === "string" ? { [name]: fields[name] } : {});
  const { responseCode } = fields;
  return {
    ...text("code"),
    ...text("command"),
    ...text("response"),
    ...text("message"),
    ...(typeof responseCode === "number" && { responseCode }),
  };
}

function detail(text: string): string {
  return text === "" ? "" : `: ${oneLine(text)}`;
}

/** What strangers wrote, for one line of a terminal. */
function oneLine(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, WHY_MAX);
}
