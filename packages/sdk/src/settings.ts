/** What a client is told and what it takes from the environment. The only file that reads it. */
import { randomUUID } from "node:crypto";
import type { Encryptor } from "./codec/json-codec.ts";
import type { Clock } from "./core/clock.ts";
import type { Invoke } from "./core/host.ts";
import { ResonateError } from "./errors.ts";
import { consoleLogger, type Logger, type LogLevel } from "./logger.ts";
import { EmbeddedNetwork } from "./network/embedded.ts";
import { HttpNetwork } from "./network/http.ts";
import type { Network } from "./network/network.ts";
import { systemClock } from "./worker/system-clock.ts";

/** Everything is optional: without any, records live in the memory of this process. */
export interface ResonateOptions {
  /** Address of a server. Default the environment's `RESONATE_URL`; if that is unset or empty, no server. */
  readonly url?: string;
  /** Without a server: the file that keeps the records, created when absent. Wins over `RESONATE_URL`. */
  readonly path?: string;
  /** The group of workers this process serves. Default `default`. */
  readonly group?: string;
  /** Name of this process. Default random. */
  readonly pid?: string;
  /** How long a claim lasts without a sign of life, in ms; a sign is given every half of it. Default 60,000. */
  readonly ttl?: number;
  /** Token for the server. Default the environment's `RESONATE_TOKEN`. */
  readonly token?: string;
  /** Longest wait for one HTTP answer, in ms. Default the environment's `RESONATE_TIMEOUT`, else 10,000. */
  readonly timeout?: number;
  /** Short for `logLevel: "debug"`. Default false. */
  readonly verbose?: boolean;
  /** Least level that is logged. Default `warn`. */
  readonly logLevel?: LogLevel;
  /** Default JSON lines on stdout and stderr. */
  readonly logger?: Logger;
  /** Encrypts params and values, not ids and tags. Default none. */
  readonly encryptor?: Encryptor;
  /** A transport of your own, in place of `url` and `path`. */
  readonly network?: Network;
  /** Where calls go that name no target: a group or an address. Default `default`; without a server, `group`. */
  readonly defaultTarget?: string;
  /** Most tasks that run at once; parked ones do not count. Default 1,000. */
  readonly maxConcurrentTasks?: number;
  /**
   * Most parked workflows that stay in memory, so that they go on without running again from the top. Default
   * 1,000; 0 keeps none.
   */
  readonly warmExecutionsMax?: number;
  /** Time and timers, for tests that bring time of their own. Default the machine's. */
  readonly clock?: Clock;
  /**
   * Called in place of every function that runs here, once per attempt, and has to call it: for tests that put
   * something in its place. Default calls it.
   */
  readonly invoke?: Invoke;
  /**
   * How the ids of trees that begin here are spelled. `colon` (the default): `root:0.1`. `dots`: `root.0.1`, as official
   * SDKs up to 0.11.4 do and the servers of their time want it. Trees that others began go on as they are.
   */
  readonly dialect?: "colon" | "dots";
  /** Largest param or value, in bytes as it travels, before encryption. Default 1 MiB (1,048,576). */
  readonly valueBytesMax?: number;
  /**
   * Whether extensions of the protocol are used where the server has them; `false` speaks to every server as to the
   * official one. Not for a `network` of your own. Default true, unless the environment's `RESONATE_EXTENSIONS` is `off`.
   */
  readonly extensions?: boolean;
  /**
   * Whether a workflow is told how a step has ended while that is still being recorded, so that the next step is
   * recorded together with it. What leaves the workflow waits for the record in any case, and what a workflow was told
   * wrongly is replayed. Needs a server that knows of it. Default true.
   */
  readonly speculate?: boolean;
}

/** Options with everything decided. */
export interface Settings {
  readonly network: Network;
  readonly pid: string;
  readonly ttlMs: number;
  readonly logger: Logger;
  readonly encryptor: Encryptor | undefined;
  readonly defaultTarget: string;
  readonly maxConcurrentTasks: number;
  readonly warmExecutionsMax: number;
  readonly clock: Clock;
  readonly invoke: Invoke;
  readonly dialect: "colon" | "dots";
  readonly valueBytesMax: number;
  readonly speculate: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ResonateError `ARGUMENT_INVALID`, naming the option. */
export function readSettings(options: ResonateOptions, env: Environment = process.env): Settings {
  const { group = "default", pid = randomUUID().replaceAll("-", ""), encryptor } = options;
  const logger = options.logger ?? consoleLogger(options.logLevel ?? levelOf(options.verbose));
  const place = placeOf(options, env);
  const extensions = options.extensions ?? extensionsIn(env);
  const own = { group: text("group", group), pid: text("pid", pid), extensions, logger };
  return {
    network: networkOf(place, own),
    pid,
    ttlMs: count("ttl", options.ttl ?? 60_000, 1),
    logger,
    encryptor,
    defaultTarget: options.defaultTarget ?? (place.kind === "embedded" ? group : "default"),
    maxConcurrentTasks: count("maxConcurrentTasks", options.maxConcurrentTasks ?? 1_000, 1),
    warmExecutionsMax: count("warmExecutionsMax", options.warmExecutionsMax ?? 1_000, 0),
    clock: options.clock ?? systemClock,
    invoke: options.invoke ?? ((fn, ctx, args) => fn(ctx, ...args)),
    dialect: dialectOf(options.dialect),
    valueBytesMax: count("valueBytesMax", options.valueBytesMax ?? 1_048_576, 1),
    speculate: options.speculate ?? true,
  };
}

type Place =
  | { readonly kind: "given"; readonly network: Network }
  | { readonly kind: "embedded"; readonly path: string | undefined }
  | {
      readonly kind: "http";
      readonly url: string;
      readonly token: string | undefined;
      readonly timeoutMs: number | undefined;
    };

function placeOf(options: ResonateOptions, env: Environment): Place {
  const { network, path, token = env.RESONATE_TOKEN || undefined } = options;
  const given = [options.network, options.path, options.url].filter((one) => one !== undefined);
  if (given.length > 1) {
    throw invalid("Give one of 'url', 'path' and 'network': each says where the records are kept.");
  }
  if (network) return { kind: "given", network };
  if (path !== undefined) return { kind: "embedded", path: text("path", path) };
  const url = options.url ?? env.RESONATE_URL;
  if (!url) return { kind: "embedded", path: undefined };
  return { kind: "http", url, token, timeoutMs: timeoutOf(options, env) };
}

function networkOf(
  place: Place,
  process: {
    readonly group: string;
    readonly pid: string;
    readonly extensions: boolean;
    readonly logger: Logger;
  },
): Network {
  switch (place.kind) {
    case "given":
      return place.network;
    case "embedded":
      return new EmbeddedNetwork({ path: place.path, ...process });
    case "http":
      return new HttpNetwork({ ...place, ...process });
  }
}

function timeoutOf({ timeout }: ResonateOptions, env: Environment): number | undefined {
  if (timeout !== undefined) return count("timeout", timeout, 1);
  if (!env.RESONATE_TIMEOUT) return undefined;
  return count("RESONATE_TIMEOUT", Number(env.RESONATE_TIMEOUT), 1);
}

function extensionsIn({ RESONATE_EXTENSIONS: given }: Environment): boolean {
  if (!given || given === "on") return true;
  if (given === "off") return false;
  throw invalid(`'RESONATE_EXTENSIONS' must be 'on' or 'off', got ${given}.`);
}

function dialectOf(given: ResonateOptions["dialect"] = "colon"): "colon" | "dots" {
  if (given === "colon" || given === "dots") return given;
  throw invalid(`'dialect' must be 'colon' or 'dots', got ${String(given)}.`);
}

function levelOf(verbose = false): LogLevel {
  return verbose ? "debug" : "warn";
}

function text(name: string, given: unknown): string {
  if (typeof given === "string" && given !== "") return given;
  throw invalid(`'${name}' must be a non-empty string, got ${String(given)}.`);
}

function count(name: string, given: number, least: number): number {
  if (Number.isSafeInteger(given) && given >= least) return given;
  throw invalid(`'${name}' must be a whole number of at least ${least}, got ${String(given)}.`);
}

function invalid(message: string): ResonateError {
  return new ResonateError("ARGUMENT_INVALID", `new Resonate: ${message}`);
}
