/** Asks a server, once: a command that finds none should say so at once, not try for a minute. */
import {
  PROTOCOL_VERSION,
  type RequestData,
  type RequestKind,
  type ResponseData,
} from "@resonate-ts/protocol";
import { z } from "zod";
import { Failure, wrongInput } from "./failure.ts";

const REQUEST_TIMEOUT_MS = 10_000;

export interface ServerAddress {
  /** An http or https URL. */
  readonly url: string;
  readonly token?: string;
}

/** What is put into a request; the server fills in what has a default. */
export type Question<K extends RequestKind> = Partial<RequestData[K]>;

const answerSchema = z.object({
  head: z.object({ status: z.int() }),
  data: z.unknown(),
});

/**
 * Sends one request and returns the data of its answer.
 *
 * @throws Refused when the server refuses; Failure when there is no server, or it does not answer.
 */
export async function send<K extends RequestKind>(
  server: ServerAddress,
  kind: K,
  data: Question<K>,
): Promise<ResponseData[K]> {
  const auth = server.token === undefined ? {} : { auth: server.token };
  const head = { corrId: `cli-${crypto.randomUUID()}`, version: PROTOCOL_VERSION, ...auth };
  const response = await post(server, JSON.stringify({ kind, head, data }));
  const answer = answerSchema.safeParse(await response.json().catch(() => undefined));
  if (!answer.success) {
    throw new Failure(
      `what answers at ${server.url} is not a Resonate server (HTTP ${response.status})`,
    );
  }
  const { status } = answer.data.head;
  if (status !== 200) throw new Refused(status, inWords(answer.data.data, server));
  return answer.data.data as ResponseData[K]; // The protocol says what an answer of 200 holds.
}

/** The server said no; a 400 says that it never will say yes. */
export class Refused extends Failure {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message, status === 400 ? 2 : 1);
    this.status = status;
  }
}

/** What a server says is text; of a status 300 it is what to go on with. It may repeat the token that it was shown. */
function inWords(data: unknown, { token }: ServerAddress): string {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return token === undefined ? text : text.replaceAll(token, "[token]");
}

function post({ url, token }: ServerAddress, body: string): Promise<Response> {
  const headers = {
    "Content-Type": "application/json",
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  return reach(url, { url, timeoutMs: REQUEST_TIMEOUT_MS, method: "POST", headers, body });
}

interface Reach extends RequestInit {
  /** The server's own address, for what is said of it. */
  readonly url: string;
  /** Longest time for all of it. Default: none. */
  readonly timeoutMs?: number;
}

/** Fetches from a server. @throws Failure when there is none, or it takes too long; `AbortError` by `signal`. */
export async function reach(address: string, { url, timeoutMs, ...request }: Reach) {
  const limit = timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) };
  try {
    return await fetch(address, { ...request, ...limit });
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error;
    throw unreachable(url, error, timeoutMs);
  }
}

function unreachable(url: string, error: unknown, timeoutMs = 0): Failure {
  if (error instanceof Error && error.name === "TimeoutError") {
    return new Failure(`the server at ${url} did not answer within ${timeoutMs / 1_000} s`);
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
  return new Failure(
    `there is no server at ${url}${code}. Start one with 'resonate dev', or say where it is with --server`,
  );
}

/** Reads the address of a server. */
export function parseServer(url: string): string {
  const known = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  // What stands before an @ may be a password.
  const shown = url.replace(/.*@/s, "…@");
  if (!known) throw wrongInput(`--server must be an http or https URL, got '${shown}'`);
  const { username, password } = new URL(url);
  if (username || password) {
    throw wrongInput("--server must have no user or password in it; give a token with --token");
  }
  return url;
}
