/**
 * What a server of ours tells beyond the protocol, at `/ui/api/…`. Others have no such thing; then `undefined` says so,
 * or a line that the command ends with.
 */
import type { DashboardEvent, ExecutionTree, Why, WorkerGroup } from "@resonate-ts/protocol";
import { Refused, reach, type ServerAddress } from "./client.ts";
import { Failure } from "./failure.ts";
import { readEvents } from "./sse.ts";

/** What can be asked for, and what is answered. */
interface Views {
  readonly tree: ExecutionTree;
  readonly why: Why;
  readonly workers: readonly WorkerGroup[];
}

/** Longest wait for the answer, in ms: a large run takes its time. */
const VIEW_TIMEOUT_MS = 30_000;

/**
 * Asks for what a server sees; `undefined` when it has no such thing. Of an id that does not exist this cannot be told
 * apart: ask `promise.get` first.
 *
 * @throws Refused when the token does not open it; Failure when there is no server.
 */
export async function look<K extends keyof Views>(
  server: ServerAddress,
  view: K,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Views[K] | undefined> {
  const what = `${view}?${new URLSearchParams(parameters)}`;
  const response = await ask(server, what, { timeoutMs: VIEW_TIMEOUT_MS });
  if (!response) return undefined;
  const data: unknown = await response.json().catch(() => undefined);
  return data as Views[K] | undefined; // `Views` says what is answered; what is no JSON is of another server.
}

/**
 * Opens the stream of what happens to the run that `id` belongs to; `undefined` when the server has no such thing. What
 * is given ends, or throws, when the stream does.
 */
export async function openEvents(
  server: ServerAddress,
  id: string,
  signal: AbortSignal,
): Promise<AsyncIterable<DashboardEvent> | undefined> {
  const response = await ask(server, `events?${new URLSearchParams({ id })}`, { signal });
  if (!response?.body) return undefined;
  return parsed(readEvents(response.body));
}

/** There is nothing to be seen, and asking again changes nothing. */
export class NothingToSee extends Failure {}

/** What a command says that cannot do without. */
export function notToldBy({ url }: ServerAddress): NothingToSee {
  return new NothingToSee(
    `the server at ${url} does not tell this: it is another one than this command's, or runs with --ui false`,
  );
}

async function* parsed(events: ReturnType<typeof readEvents>): AsyncGenerator<DashboardEvent> {
  for await (const { event, data } of events) {
    yield { event, data: JSON.parse(data) } as DashboardEvent; // The type says what the server sends.
  }
}

async function ask(
  { url, token }: ServerAddress,
  what: string,
  limits: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
): Promise<Response | undefined> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const base = url.endsWith("/") ? url : `${url}/`;
  const response = await reach(new URL(`ui/api/${what}`, base).href, { url, headers, ...limits });
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === 404 || response.status === 405) return undefined;
  throw new Refused(
    response.status,
    `the server at ${url} does not show it: ${reasonOf(response)}`,
  );
}

function reasonOf({ status, statusText }: Response): string {
  if (status === 401) return "it wants a token (--token)";
  if (status === 403) return "this token opens a part only, and this is about all";
  return `HTTP ${status} ${statusText}`;
}
