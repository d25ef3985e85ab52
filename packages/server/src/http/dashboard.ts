/** `GET /ui/api/…`: what the page and the command line look at. For those who may see everything. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import {
  type DashboardEvent,
  PROTOCOL_VERSION,
  type PromiseState,
  type SchedulePage,
} from "@resonate-ts/protocol";
import { z } from "zod";
import type { Activity } from "../dashboard/activity.ts";
import { readDetail } from "../dashboard/detail.ts";
import { placeOfCursor, readExecutions } from "../dashboard/executions.ts";
import { readGroups } from "../dashboard/groups.ts";
import { type Live, WATCHERS_MAX } from "../dashboard/live.ts";
import { readOverview, type ServerFacts } from "../dashboard/overview.ts";
import { readTree } from "../dashboard/tree.ts";
import { readWhy } from "../dashboard/why-facts.ts";
import type { Engine } from "../engine/engine.ts";
import type { Inside } from "../engine/inside.ts";
import { SseStream } from "../transports/sse-poll.ts";
import { type Authenticator, bearerOf, type Identity } from "./auth.ts";
import { EXTENSIONS_HEADER, sendJson, sendProblem } from "./respond.ts";
import { endAt } from "./streams.ts";

export interface DashboardOptions {
  readonly engine: Pick<Engine, "process">;
  readonly inside: Inside;
  readonly activity: Activity;
  readonly live: Live;
  readonly facts: () => ServerFacts;
  readonly auth: Authenticator;
}

/** What an answer needs of a request. */
interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly headers: OutgoingHttpHeaders;
}

export const API_PATH = "/ui/api/";

/** Nothing that is shown may be kept by anybody on the way, or be taken for a page. */
const PRIVATE = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" } as const;

export class Dashboard {
  readonly #options: DashboardOptions;

  constructor(options: DashboardOptions) {
    this.#options = options;
  }

  /** Answers what is asked under `/ui/api/`. */
  async answer(path: string, given: Asked): Promise<void> {
    const asked = { ...given, headers: { ...given.headers, ...PRIVATE } };
    const { response, headers } = asked;
    const identity = await this.#options.auth.identify(bearerOf(asked.request));
    if (!identity) {
      const challenge = { ...headers, "WWW-Authenticate": "Bearer" };
      return sendProblem(response, 401, "Unauthorized", challenge);
    }
    if (identity.scope.kind !== "everything") {
      return sendProblem(response, 403, "Forbidden", headers);
    }
    const name = path.slice(API_PATH.length);
    const { searchParams } = new URL(asked.request.url ?? "/", "http://server");
    const parsed = QUERY.safeParse(Object.fromEntries(searchParams));
    if (!parsed.success) {
      return sendProblem(response, 400, z.prettifyError(parsed.error), headers);
    }
    if (name === "events") return this.#stream(parsed.data.id, asked, identity);
    if (!isView(name)) return sendProblem(response, 404, `there is nothing at ${path}`, headers);
    const view = await this.#look(name, parsed.data);
    if ("data" in view) return sendJson(response, 200, JSON.stringify(view.data), headers);
    sendProblem(response, view.status, view.error, headers);
  }

  async #look(name: View, query: QueryParameters): Promise<Looked> {
    const { inside, activity, facts } = this.#options;
    switch (name) {
      case "overview":
        return { data: await readOverview(inside, activity, facts()) };
      case "workers":
        return { data: await readGroups(inside) };
      case "executions":
        return this.#executions(query);
      case "tree":
        return about(query.id, (id) => readTree(inside, id));
      case "promise":
        return about(query.id, (id) => readDetail(inside, id));
      case "why":
        return about(query.id, (id) => readWhy(inside, id));
      case "schedules":
        return this.#schedules(query);
    }
  }

  async #executions({ cursor, ...wanted }: QueryParameters): Promise<Looked> {
    const before = cursor === undefined ? undefined : placeOfCursor(cursor);
    if (cursor !== undefined && before === undefined) return invalid("cursor is none of ours");
    return { data: await readExecutions(this.#options.inside, { ...wanted, before }) };
  }

  async #schedules({ limit, cursor }: QueryParameters): Promise<Looked> {
    const head = { corrId: "schedules", version: PROTOCOL_VERSION };
    const data = { tags: {}, limit, ...(cursor !== undefined && { cursor }) };
    const [answer] = await this.#options.engine.process([{ kind: "schedule.search", head, data }]);
    if (answer?.head.status === 200) return { data: answer.data as SchedulePage }; // A search is answered so.
    return { status: answer?.head.status ?? 500, error: String(answer?.data) };
  }

  async #stream(
    id: string | undefined,
    { response, headers }: Asked,
    { endsAt }: Identity,
  ): Promise<void> {
    const { live } = this.#options;
    if (live.full) {
      const message = `${WATCHERS_MAX} streams of events are open, and no more are`;
      return sendProblem(response, 503, message, { ...headers, "Retry-After": "5" });
    }
    let stream: SseStream | undefined;
    const watcher = {
      tell: (event: DashboardEvent) => stream?.write(textOf(event)) === true,
      over: () => response.end(),
    };
    const end = await live.watch(watcher, id);
    if (!end) return sendProblem(response, 404, `there is no promise '${id}'`, headers);
    // Who went away meanwhile would never be heard to close.
    if (response.closed || response.destroyed) return end();
    response.writeHead(200, {
      ...headers,
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store, no-transform",
      "X-Accel-Buffering": "no",
      ...EXTENSIONS_HEADER,
    });
    stream = new SseStream(response);
    stream.onClose(end);
    if (endsAt !== undefined) endAt(endsAt, response);
  }
}

const VIEWS = ["overview", "workers", "executions", "tree", "promise", "why", "schedules"] as const;

type View = (typeof VIEWS)[number];

function isView(name: string): name is View {
  return VIEWS.some((view) => view === name);
}

type Looked = { readonly data: unknown } | { readonly status: number; readonly error: string };

function invalid(error: string): Looked {
  return { status: 400, error };
}

async function about(
  id: string | undefined,
  read: (id: string) => Promise<unknown>,
): Promise<Looked> {
  if (id === undefined) return invalid("id must be given");
  const data = await read(id);
  return data === undefined ? { status: 404, error: `there is no promise '${id}'` } : { data };
}

const STATES: readonly (PromiseState | "halted")[] = [
  "pending",
  "resolved",
  "rejected",
  "rejected_canceled",
  "rejected_timedout",
  "halted",
];

/** As long as ids may be. What is not given, and what is given and empty, are the same. */
const text = z
  .string()
  .max(1_024)
  .transform((given) => given || undefined)
  .optional();

const QUERY = z.object({
  id: text,
  idPrefix: text,
  func: text,
  cursor: z.string().max(8_192).optional(),
  state: z
    .literal(["", ...STATES])
    .transform((given) => given || undefined)
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

type QueryParameters = z.output<typeof QUERY>;

function textOf({ event, data }: DashboardEvent): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
