/** Reads what the server tells about itself. */
import type {
  ExecutionPage,
  ExecutionTree,
  Overview,
  PromiseDetail,
  SchedulePage,
  Why,
} from "@resonate-ts/protocol";
import { noteServerTime } from "./clock.ts";
import { refused, unreachable } from "./refusal.ts";
import { authorization } from "./token.ts";

/** What can be read, by the name that the address has. */
export interface Answers {
  readonly overview: Overview;
  readonly executions: ExecutionPage;
  readonly tree: ExecutionTree;
  readonly promise: PromiseDetail;
  readonly why: Why;
  readonly schedules: SchedulePage;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * The answer of `GET /ui/api/<what>`.
 *
 * @throws Refusal when the server refuses, or does not answer.
 */
export async function read<K extends keyof Answers>(
  what: K,
  query: Query = {},
  signal?: AbortSignal,
): Promise<Answers[K]> {
  const response = await get(apiUrl(what, query), signal);
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw refused(response.status, errorOf(body) ?? `HTTP ${response.status}`);
  if (typeof body !== "object" || body === null) throw unreachable();
  if ("at" in body && typeof body.at === "number") noteServerTime(body.at);
  return body as Answers[K]; // The page is served by the server whose interface these types are.
}

export function apiUrl(what: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `${import.meta.env.BASE_URL}api/${what}${text && `?${text}`}`;
}

async function get(url: string, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(url, { headers: authorization(), ...(signal && { signal }) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unreachable();
  }
}

/** A refusal of this interface is `{ "error": "…" }`. */
export function errorOf(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null || !("error" in body)) return undefined;
  return typeof body.error === "string" ? body.error : undefined;
}
