/** A server on a port: an engine, and the HTTP in front of it. */
import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import type { Engine, Observer } from "./engine/engine.ts";
import { createAccess } from "./http/access.ts";
import { type Authenticator, createAuthenticator, everybody, readPublicKey } from "./http/auth.ts";
import { BodyReader } from "./http/body.ts";
import { type Listener, listen } from "./http/listener.ts";
import { createMetrics, type Metrics } from "./http/metrics.ts";
import { createHandler, type RouteContext } from "./http/routes.ts";
import { Streams } from "./http/streams.ts";
import { jsonLogger, type Logger, terminalLogger } from "./logger.ts";
import { type EngineOptions, openEngine } from "./open.ts";
import { openPush } from "./push.ts";
import { isLoopback, type Settings, SettingsError } from "./settings.ts";
import type { Tracing } from "./tracing.ts";
import { ownVersion, Ui } from "./ui.ts";

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
  /** Default: on standard error, from `level` up: JSON lines, or text where that is a terminal. */
  readonly logger?: Logger;
  /** Default: `openEngine`. */
  readonly open?: (options: EngineOptions) => Promise<Engine>;
  /** Where the files of the page are. Default: of the page that belongs to this server. */
  readonly pageFolder?: string;
}

/**
 * Starts a server.
 *
 * @throws SettingsError when the key that tokens are to be checked with cannot be used; PortInUseError when another
 *   program listens on the port; and what `openEngine` throws when the file cannot be used.
 */
export async function serve(
  settings: Settings,
  { logger = loggerFor(settings), open = openEngine, pageFolder }: ServeOptions = {},
): Promise<RunningServer> {
  const auth = authenticatorOf(settings);
  const bind = settings["server.bind"];
  // The ports first: workers are told the server's URL, and it is known only then.
  const listeners = await listenAll(settings);
  const { port } = listeners.main;
  const url = `http://${reachableHost(settings)}:${port}`;
  const serverUrl = settings["server.url"] ?? url;
  const metrics = createMetrics(
    () => engine.connections,
    () => engine.inside,
  );
  const tracing = await tracingFor(settings, logger);
  const ui = settings.ui ? new Ui(settings) : undefined;
  const observer = together([metrics.observer, ui, tracing]);
  const push = openPush(settings, { logger, metrics });
  const options = { ...engineOptions(settings), serverUrl, push, observer, logger };
  const engine = await open(options).catch(async (error: unknown) => {
    metrics.close();
    await tracing?.close();
    await push?.close();
    for (const listener of Object.values(listeners)) await listener.end(0);
    throw error;
  });

  const corsOrigins = settings["server.cors.allow_origins"];
  const access = createAccess({ bind, port, urls: [url, serverUrl], corsOrigins });
  const context: RouteContext = {
    engine,
    access,
    auth,
    metrics: ui ? alsoTold(metrics, ui) : metrics,
    traces: tracing,
    logger,
    ui: ui?.open(engine, { auth, logger, pageFolder }),
    bodies: new BodyReader(settings["limits.body_bytes"]),
    streams: settings["transports.http_poll.enabled"]
      ? new Streams({ engine, auth, logger, limits: streamLimits(settings) })
      : undefined,
  };
  listeners.main.serve(createHandler(context));
  listeners.metrics?.serve(createHandler(context, "metrics"));
  logger.info({ url, bind, storage: settings["storage.type"] }, "the server listens");
  warnOf(settings, logger);

  let closing: Promise<void> | undefined;
  return {
    url,
    failed: engine.failed,
    close() {
      const timeoutMs = settings["server.shutdown_timeout"];
      closing ??= close({ engine, metrics, ui, tracing, listeners, logger }, timeoutMs);
      return closing;
    },
  };
}

function loggerFor({ level }: Settings): Logger {
  return process.stderr.isTTY ? terminalLogger(level) : jsonLogger(level);
}

/** What is allowed, and dangerous. */
function warnOf({ "server.bind": bind, ...settings }: Settings, logger: Logger): void {
  const key = settings["auth.publickey"];
  if (!isLoopback(bind) && (key === undefined || key === "none")) {
    const message =
      "NO AUTHENTICATION: whoever reaches this address can run and read everything; set auth.publickey, or keep strangers out";
    logger.warn({ bind }, message);
  }
  if (settings.debug) {
    logger.warn({}, "debug operations are on: whoever is let in can wipe all data");
  }
}

async function tracingFor(settings: Settings, logger: Logger): Promise<Tracing | undefined> {
  const endpoint = settings["observability.otlp_endpoint"];
  if (endpoint === undefined) return undefined;
  const { openTracing } = await import("./tracing.ts");
  return openTracing({ endpoint, version: ownVersion(), logger });
}

/** All who look on while the engine works. */
function together(observers: readonly (Observer | undefined)[]): Observer {
  const present = observers.filter((one) => one !== undefined);
  return {
    committing(steps) {
      const told = present.map((one) => one.committing(steps));
      return (committed) => {
        for (const tell of told) tell(committed);
      };
    },
  };
}

/** The metrics; the page hears of requests too. */
function alsoTold(metrics: Metrics, ui: Ui): Metrics {
  return {
    ...metrics,
    answered(request, seconds) {
      metrics.answered(request, seconds);
      ui.answered(seconds);
    },
  };
}

interface Listeners {
  readonly main: Listener;
  readonly metrics?: Listener;
}

async function listenAll(settings: Settings): Promise<Listeners> {
  const bind = settings["server.bind"];
  const main = await listen({ bind, port: settings["server.port"] });
  const port = settings["observability.metrics_port"];
  if (!port) return { main };
  const metrics = await listen({ bind, port }).catch(async (error: unknown) => {
    await main.end(0);
    throw error;
  });
  return { main, metrics };
}

function authenticatorOf(settings: Settings): Authenticator {
  const { "auth.publickey": path, "auth.iss": iss, "auth.aud": aud } = settings;
  if (path === undefined) return everybody;
  const rules = { iss, aud, now: () => Date.now() };
  if (path === "none") return createAuthenticator({ ...rules, key: "none" });
  try {
    const key = readPublicKey(readFileSync(path, "utf8"));
    return createAuthenticator({ ...rules, key });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SettingsError(
      `auth.publickey must be a public key in a PEM file; '${path}' cannot be used: ${why}`,
    );
  }
}

function streamLimits(settings: Settings) {
  return {
    streamsMax: settings["transports.http_poll.max_connections"],
    streamsPerPrefixMax: settings["limits.streams_per_prefix"],
  };
}

/** The configured name, unless the server listens on one address to which that name does not lead. */
function reachableHost({ "server.host": host, "server.bind": bind }: Settings): string {
  if (host !== "localhost" || LOCALHOST_OR_ALL.includes(bind)) return host;
  return isIPv6(bind) ? `[${bind}]` : bind;
}

const LOCALHOST_OR_ALL = ["localhost", "127.0.0.1", "::1", "0.0.0.0", "::"];

interface Parts {
  readonly engine: Engine;
  readonly metrics: Metrics;
  readonly ui: Ui | undefined;
  readonly tracing: Tracing | undefined;
  readonly listeners: Listeners;
  readonly logger: Logger;
}

async function close(parts: Parts, timeoutMs: number): Promise<void> {
  const { engine, metrics, ui, tracing, logger } = parts;
  const listeners: readonly Listener[] = Object.values(parts.listeners);
  logger.info({ timeoutMs }, "the server stops");
  const drainMs = Math.max(0, timeoutMs - LAST_MS);
  ui?.close();
  await Promise.all(listeners.map((listener) => listener.drain(drainMs)));
  await engine.close();
  metrics.close();
  await tracing?.close();
  await Promise.all(listeners.map((listener) => listener.end(LAST_MS / 2)));
}

function engineOptions(settings: Settings): EngineOptions {
  return {
    debug: settings.debug,
    replyBytesMax: settings["limits.reply_bytes"],
    restartGraceMs: RESTART_GRACE_MS,
    retryTimeoutMs: settings["tasks.retry_timeout"],
    retentionAgeMs: settings["retention.age"],
    ...storageOptions(settings),
  };
}

function storageOptions(settings: Settings): EngineOptions {
  switch (settings["storage.type"]) {
    case "memory":
      return {};
    case "sqlite":
      return {
        path: settings["storage.sqlite.path"],
        synchronous: settings["storage.sqlite.synchronous"],
      };
    case "postgres":
      return {
        postgres: {
          url: settings["storage.postgres.url"] ?? "", // `readSettings` has seen to it.
          poolSize: settings["storage.postgres.pool_size"],
          pooler: settings["storage.postgres.pooler"],
        },
      };
  }
}
