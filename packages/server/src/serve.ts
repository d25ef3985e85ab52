/** A server on a port: an engine, and the HTTP in front of it. */
import { isIPv6 } from "node:net";
import type { Engine } from "./engine/engine.ts";
import { createAccess } from "./http/access.ts";
import { type Listener, listen } from "./http/listener.ts";
import { createHandler } from "./http/routes.ts";
import { jsonLogger, type Logger } from "./logger.ts";
import { type EngineOptions, openEngine } from "./open.ts";
import { isLoopback, type Settings } from "./settings.ts";
import { HttpPush } from "./transports/http-push.ts";

/** What is kept of the shutdown timeout for closing the store and for the last bytes to leave, in ms. */
const LAST_MS = 1_000;

/** How long workers may take to find a server that was started again before their work goes to others, in ms. */
const RESTART_GRACE_MS = 5_000;

export interface RunningServer {
  /** Where it listens, as programs on this machine name it; has the real port when 0 was asked for. */
  readonly url: string;
  /** Rejects when the server can no longer work (an unknown disk state); the process must then exit. */
  readonly failed: Promise<never>;
  /**
   * Stops accepting, finishes the requests under way, ends the streams and closes the store, all within
   * `server.shutdown_timeout` as long as the store closes in time. Safe to call twice.
   */
  close(): Promise<void>;
}

export interface ServeOptions {
  /** Default: JSON lines on standard error, from `level` up. */
  readonly logger?: Logger;
  /** Default: `openEngine`. */
  readonly open?: (options: EngineOptions) => Promise<Engine>;
}

/**
 * Starts a server.
 *
 * @throws PortInUseError when another program listens on the port; and what `openEngine` throws when the file
 *   cannot be used.
 */
export async function serve(
  settings: Settings,
  { logger = jsonLogger(settings.level), open = openEngine }: ServeOptions = {},
): Promise<RunningServer> {
  const bind = settings["server.bind"];
  // The port first: workers are told the server's URL, and it is known only then.
  const listener = await listen({ bind, port: settings["server.port"] });
  const { port } = listener;
  const url = `http://${reachableHost(settings)}:${port}`;
  const serverUrl = settings["server.url"] ?? url;
  // Who reaches the server only from this machine may have it call programs on this machine.
  const push = new HttpPush({ logger, allowLoopback: isLoopback(bind) });
  const options = { ...engineOptions(settings), serverUrl, push, logger };
  const engine = await open(options).catch(async (error: unknown) => {
    await push.close();
    await listener.end(0);
    throw error;
  });

  const corsOrigins = settings["server.cors.allow_origins"];
  const access = createAccess({ bind, port, urls: [url, serverUrl], corsOrigins });
  listener.serve(createHandler({ engine, access, logger }));
  logger.info({ url, bind, storage: settings["storage.type"] }, "the server listens");

  let closing: Promise<void> | undefined;
  return {
    url,
    failed: engine.failed,
    close() {
      closing ??= close({ engine, listener, logger }, settings["server.shutdown_timeout"]);
      return closing;
    },
  };
}

/** The configured name, unless the server listens on one address to which that name does not lead. */
function reachableHost({ "server.host": host, "server.bind": bind }: Settings): string {
  if (host !== "localhost" || LOCALHOST_OR_ALL.includes(bind)) return host;
  return isIPv6(bind) ? `[${bind}]` : bind;
}

const LOCALHOST_OR_ALL = ["localhost", "127.0.0.1", "::1", "0.0.0.0", "::"];

async function close(
  { engine, listener, logger }: { engine: Engine; listener: Listener; logger: Logger },
  timeoutMs: number,
): Promise<void> {
  logger.info({ timeoutMs }, "the server stops");
  await listener.drain(Math.max(0, timeoutMs - LAST_MS));
  await engine.close();
  await listener.end(LAST_MS / 2);
}

function engineOptions(settings: Settings): EngineOptions {
  return {
    restartGraceMs: RESTART_GRACE_MS,
    retryTimeoutMs: settings["tasks.retry_timeout"],
    retentionAgeMs: settings["retention.age"],
    ...(settings["storage.type"] === "memory"
      ? {}
      : {
          path: settings["storage.sqlite.path"],
          synchronous: settings["storage.sqlite.synchronous"],
        }),
  };
}
