/** `GET /poll/{group}/{id}`: opens the stream of messages to one process. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Engine } from "../engine/engine.ts";
import type { Logger } from "../logger.ts";
import { SseStream } from "../transports/sse-poll.ts";
import { EXTENSIONS_HEADER, sendProblem } from "./respond.ts";

/** How long a process that has the lease extension keeps its tasks after its stream closed, in ms. */
const GRACE_MS = 1_000;
/** The same for other clients: official SDKs wait 1 s before they connect again, so it must be well above that. */
const GRACE_WITHOUT_LEASE_MS = 5_000;

export interface PollRequest {
  readonly path: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly headers: OutgoingHttpHeaders;
}

export function openPoll(
  {
    engine,
    logger,
    streamsMax,
  }: { readonly engine: Engine; readonly logger: Logger; readonly streamsMax: number },
  { path, request, response, headers }: PollRequest,
): void {
  const place = parsePath(path);
  if (!place) {
    sendProblem(response, 400, `${path} is not valid percent-encoding`, headers);
    return;
  }
  if (engine.connections >= streamsMax) {
    const message = `Poll registration at capacity: ${streamsMax} streams are open`;
    logger.warn({ ...place }, message);
    sendProblem(response, 503, message, { ...headers, "Retry-After": "5" });
    return;
  }

  response.writeHead(200, {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-transform",
    // Proxies must pass each message on as it comes.
    "X-Accel-Buffering": "no",
    ...EXTENSIONS_HEADER,
    ...headers,
  });
  const stream = new SseStream(response);
  let behind = false;
  const disconnect = engine.connect({
    ...place,
    lease: hasLease(request),
    graceMs: hasLease(request) ? GRACE_MS : GRACE_WITHOUT_LEASE_MS,
    incarnation: incarnationOf(request),
    send: (message) => {
      const taken = stream.send(message);
      // Said once until it has caught up: a backlog may be a hundred thousand messages.
      if (!taken && !behind) logger.warn({ ...place }, "messages are held back: slow reader");
      behind = !taken;
      return taken;
    },
    closed: () => stream.end(),
  });
  stream.onClose(() => {
    disconnect();
    logger.debug({ ...place }, "stream closed");
  });
  logger.debug({ ...place }, "stream opened");
}

function hasLease(request: IncomingMessage): boolean {
  const names = request.headers["resonate-extensions"];
  return typeof names === "string" && names.split(",").some((name) => name.trim() === "lease");
}

/** What the client calls this run of its process; of any length up to that of a name. */
function incarnationOf(request: IncomingMessage): string | undefined {
  const name = request.headers["resonate-incarnation"];
  return typeof name === "string" && name.length <= 64 ? name : undefined;
}

/** The group and the process that `/poll/{group}/{id}` names; `undefined` when they cannot be decoded. */
export function parsePath(path: string): { group: string; id: string } | undefined {
  const [, , group = "", id = ""] = path.split("/");
  try {
    return { group: decodeURIComponent(group), id: decodeURIComponent(id) };
  } catch {
    return undefined;
  }
}
