/**
 * Which request goes where. Who asks is looked at right behind `Host` and `Origin`: in `answerPost` by the token of an
 * envelope, in `Streams`, `Dashboard` and `answerMetrics` by that of the header. `/health`, `/ready` and the files of the
 * page tell nothing and ask nobody.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Engine } from "../engine/engine.ts";
import type { Access } from "./access.ts";
import { type Api, answerPost } from "./api.ts";
import { bearerOf } from "./auth.ts";
import { API_PATH, type Dashboard } from "./dashboard.ts";
import { isReady } from "./health.ts";
import type { Handler } from "./listener.ts";
import type { Metrics } from "./metrics.ts";
import { Page } from "./page.ts";
import { EXTENSIONS_HEADER, sendEmpty, sendProblem } from "./respond.ts";
import type { Streams } from "./streams.ts";

export interface RouteContext extends Api {
  readonly engine: Engine;
  readonly access: Access;
  readonly metrics: Metrics;
  /** Absent: there is no way to open one. */
  readonly streams: Streams | undefined;
  /** Absent: there is nothing at `/ui`. */
  readonly ui: { readonly page: Page; readonly dashboard: Dashboard } | undefined;
}

/** All that is served; or, on a port of its own, the metrics alone. */
export type Door = "all" | "metrics";

/** The REST interface that earlier servers had. */
const RETIRED = /^\/(?:promises|schedules|tasks)(?:\/|$)/;

/** How far the engine's time may be from this machine's before answers are dated by it, in ms: a date has whole seconds. */
const APART_MS = 1_000;

/** Answers everything that is asked of the server through `door`. */
export function createHandler(context: RouteContext, door: Door = "all"): Handler {
  const { inside } = context.engine;
  return async (request, response) => {
    try {
      // Clients reckon deadlines by it. The engine's time does not follow a clock that is set.
      const now = inside?.now() ?? Date.now();
      if (Math.abs(now - Date.now()) >= APART_MS) {
        response.setHeader("Date", new Date(now).toUTCString());
      }
      await route(context, door, request, response);
    } catch (error) {
      context.logger.error({ error, method: request.method }, "a request failed");
      if (response.headersSent) response.destroy();
      else sendProblem(response, 500, "Internal error");
    }
  };
}

function route(
  context: RouteContext,
  door: Door,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> | void {
  const refusal = context.access.refusal(request);
  if (refusal !== undefined) return sendProblem(response, 403, refusal);
  const headers = context.access.headers(request);
  const path = pathOf(request);
  const found = find(path, door, context);
  if (path === "/" && door === "all" && context.ui && isBrowser(request)) {
    response.writeHead(302, { ...headers, Location: "/ui", "Content-Length": 0 }).end();
    return;
  }
  if (!found && door === "all" && RETIRED.test(path)) {
    return sendProblem(response, 410, `${path} is gone: send an envelope to POST /`, headers);
  }
  if (!found) return sendProblem(response, 404, `there is nothing at ${path}`, headers);
  if (request.method === "OPTIONS" && request.headers.origin) {
    return sendEmpty(response, 204, headers);
  }
  if (!found.methods.includes(request.method ?? "")) {
    const allow = found.methods.join(", ");
    const message = `${path} takes ${allow}, not ${request.method}`;
    return sendProblem(response, 405, message, { ...headers, Allow: allow });
  }
  return found.answer(context, request, response, headers);
}

interface Route {
  readonly methods: readonly string[];
  readonly answer: (
    context: RouteContext,
    request: IncomingMessage,
    response: ServerResponse,
    headers: OutgoingHttpHeaders,
  ) => Promise<void> | void;
}

const ROUTES: Readonly<Record<string, Route>> = {
  "/": { methods: ["POST"], answer: answerPost },
  "/health": {
    methods: ["GET", "HEAD"],
    answer: (_context, _request, response, headers) => sendEmpty(response, 200, headers),
  },
  "/ready": {
    methods: ["GET", "HEAD"],
    async answer({ engine }, _request, response, headers) {
      sendEmpty(response, (await isReady(engine)) ? 200 : 503, headers);
    },
  },
};

const METRICS: Route = { methods: ["GET", "HEAD"], answer: answerMetrics };

function find(path: string, door: Door, { streams, ui }: RouteContext): Route | undefined {
  if (path === "/metrics") return METRICS;
  if (door === "metrics") return undefined;
  if (Object.hasOwn(ROUTES, path)) return ROUTES[path];
  if (ui && Page.has(path)) return uiRoute(path, ui);
  return streams && /^\/poll\/[^/]+\/[^/]+$/.test(path) ? pollRoute(streams) : undefined;
}

function pollRoute(streams: Streams): Route {
  return {
    methods: ["GET"],
    answer: (_context, request, response, headers) =>
      streams.open(pathOf(request), request, response, headers),
  };
}

function uiRoute(path: string, { page, dashboard }: NonNullable<RouteContext["ui"]>): Route {
  if (path.startsWith(API_PATH)) {
    return {
      methods: ["GET"],
      answer: (_context, request, response, headers) =>
        dashboard.answer(path, { request, response, headers }),
    };
  }
  return {
    methods: ["GET", "HEAD"],
    answer: (_context, request, response, headers) => page.answer(path, request, response, headers),
  };
}

/** Somebody who typed the server's address, and wants to see something. */
function isBrowser({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && headers.accept?.includes("text/html") === true;
}

/** Numbers about everybody's work are for those who may see everything. */
async function answerMetrics(
  { auth, metrics }: RouteContext,
  request: IncomingMessage,
  response: ServerResponse,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  const identity = await auth.identify(bearerOf(request));
  if (!identity) {
    return sendProblem(response, 401, "Unauthorized", { ...headers, "WWW-Authenticate": "Bearer" });
  }
  if (identity.scope.kind !== "everything") {
    return sendProblem(response, 403, "Forbidden", headers);
  }
  const text = await metrics.text();
  const type = { "Content-Type": metrics.contentType, "Content-Length": Buffer.byteLength(text) };
  response.writeHead(200, { ...type, ...EXTENSIONS_HEADER, ...headers }).end(text);
}

function pathOf({ url = "/" }: IncomingMessage): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}
