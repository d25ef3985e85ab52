/** The transport to `http://` and `https://` addresses, as the settings say. */
import type { Metrics } from "./http/metrics.ts";
import type { Logger } from "./logger.ts";
import { isLoopback, namedTargets, type Settings } from "./settings.ts";
import { HttpPush, type PushAuth } from "./transports/http-push.ts";

interface PushParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Makes the transport; `undefined` where it is switched off, and messages to such addresses wait. */
export function openPush(settings: Settings, { logger, metrics }: PushParts): HttpPush | undefined {
  if (!settings["transports.http_push.enabled"]) return undefined;
  return new HttpPush({
    logger,
    allowTargets: settings["transports.http_push.allow_targets"],
    // Who reaches the server only from this machine may have it call programs on this machine.
    allowLoopback: isLoopback(settings["server.bind"]),
    concurrency: settings["transports.http_push.concurrency"],
    connectTimeoutMs: settings["transports.http_push.connect_timeout"],
    requestTimeoutMs: settings["transports.http_push.request_timeout"],
    auth: authOf(settings),
    delivered: metrics.delivered,
  });
}

function authOf(settings: Settings): PushAuth {
  const token = settings["transports.http_push.auth.token"];
  if (settings["transports.http_push.auth.mode"] === "none" || token === undefined) {
    return { mode: "none" };
  }
  const header = settings["transports.http_push.auth.header"];
  return { mode: "bearer", token, hosts: namedTargets(settings), header };
}
