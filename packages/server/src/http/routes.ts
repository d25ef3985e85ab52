/**
 * Which request goes where. Authentication, when there is some, belongs right behind the look at `Host` and `Origin`:
 * in `answerPost` for the token of an envelope, in `openPoll` for that of a stream.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Engine } from "../engine/engine.ts";
import type { Logger } from "../logger.ts";
import type { Access } from "./access.ts";
import { answerPost } from "./api.ts";
import { isReady } from "./health.ts";
import type { Handler } from "./listener.ts";
import { openPoll } from "./poll.ts";
import { sendEmpty, sendProblem } from "./respond.ts";

export interface RouteContext {
  readonly engine: Engine;
  readonly access: Access;
  readonly logger: Logger;
}

/** The REST interface that earlier servers had. */
const RETIRED = /^\/(?:promises|schedules|tasks)(?:\/|$)/;

/** Answers everything that is asked of the server. */
export function createHandler(context: RouteContext): Handler {
  return async (request, response) => {
    try {
      await route(context, request, response);
    } catch (error) {
      context.logger.error({ error, method: request.method }, "a request failed");
      if (response.headersSent) response.destroy();
      else sendProblem(response, 500, "Internal error");
    }
  };
}

async function route(
  context: RouteContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refusal = context.access.refusal(request);
  if (refusal !== undefined) return sendProblem(response, 403, refusal);
  const headers = context.access.headers(request);
  const path = pathOf(request);
  if (RETIRED.test(path)) {
    return sendProblem(response, 410, `${path} is gone: send an envelope to POST /`, headers);
  }
  const found = find(path);
  if (!found) return sendProblem(response, 404, `there is nothing at ${path}`, headers);
  if (request.method === "OPTIONS" && request.headers.origin) {
    return sendEmpty(response, 204, headers);
  }
  if (!found.methods.includes(request.method ?? "")) {
    const allow = found.methods.join(", ");
    const message = `${path} takes ${allow}, not ${request.method}`;
    return sendProblem(response, 405, message, { ...headers, Allow: allow });
  }
  await found.answer(context, request, response, headers);
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

const POLL: Route = {
  methods: ["GET"],
  answer: (context, request, response, headers) =>
    openPoll(context, { path: pathOf(request), request, response, headers }),
};

function find(path: string): Route | undefined {
  if (Object.hasOwn(ROUTES, path)) return ROUTES[path];
  return /^\/poll\/[^/]+\/[^/]+$/.test(path) ? POLL : undefined;
}

function pathOf({ url = "/" }: IncomingMessage): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}
