/** An engine in memory and the clients of one test. */
import { type Engine, EXTENSIONS, openEngine } from "@resonate-ts/server";
import { afterEach } from "vitest";
import { Resonate, type ResonateOptions } from "../../src/index.ts";
import type { Logger, LogLevel } from "../../src/logger.ts";
import { makeRequest } from "../../src/network/envelope.ts";
import type { Extension } from "../../src/network/network.ts";
import { EngineNetwork } from "./engine-network.ts";

/** `RESONATE_EXTENSIONS=off`, as clients know it, switches them off in all tests that do not say. */
const OFF = process.env.RESONATE_EXTENSIONS === "off";

/** What the server is seen to have where a test does not say. */
export const defaults: { extensions: readonly Extension[] } = { extensions: OFF ? [] : EXTENSIONS };

/** As `defaults`, but tasks are claimed one by one. */
export const WITHOUT_CLAIMS = EXTENSIONS.filter((extension) => extension !== "claim");

export interface Client {
  readonly resonate: Resonate;
  readonly network: EngineNetwork;
  readonly logged: Logged[];
  /** The first message of this level that matches, there already or to come. */
  logs(level: LogLevel, pattern: RegExp): Promise<Logged>;
}

export interface Logged {
  readonly level: LogLevel;
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

export class World {
  readonly engine: Engine;
  readonly #clients: Pick<Client, "resonate" | "network">[] = [];
  #count = 0;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  client(
    options: Omit<ResonateOptions, "extensions"> & {
      extensions?: readonly Extension[];
      register?: Functions;
    } = {},
  ): Client {
    this.#count += 1;
    const { extensions = defaults.extensions, register, group, ...rest } = options;
    const pid = options.pid ?? `p${this.#count}`;
    const network = new EngineNetwork(this.engine, {
      pid,
      ...(group && { group }),
      extensions,
    });
    const { logged, logger, logs } = recordingLogger();
    // Calls that name no target go where nobody is, unless a test says otherwise.
    const target = { defaultTarget: "elsewhere" };
    const resonate = new Resonate({ ...target, ...rest, pid, network, logger });
    for (const [name, fn] of Object.entries(register ?? {})) resonate.register(name, fn);
    this.#clients.push({ resonate, network });
    return { resonate, network, logged, logs };
  }

  /** The records of a tree, without what differs from run to run. */
  async records(origin: string): Promise<unknown[]> {
    const tags = { "resonate:origin": origin };
    const [answer] = await this.engine.process([
      makeRequest("promise.search", { tags, limit: 1_000 }),
    ]);
    const data = answer?.data as { promises: { [name: string]: unknown }[] };
    return data.promises.map(({ createdAt, settledAt, timeoutAt, ...stable }) => stable);
  }

  async close(): Promise<void> {
    const stopping = this.#clients.map(async ({ resonate, network }) => {
      const stopped = resonate.stop();
      // One that was killed would wait for answers that never come.
      if (!network.dead) await stopped;
    });
    await Promise.all(stopping);
    await this.engine.close();
  }
}

// biome-ignore lint/suspicious/noExplicitAny: functions of any kind are registered here.
type Functions = Readonly<Record<string, (...args: any[]) => any>>;

const worlds: World[] = [];

/** Closed at the end of the test. */
export async function openWorld(): Promise<World> {
  const world = new World(await openEngine());
  worlds.push(world);
  return world;
}

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

/** A logger that shows what it was told. */
export function recordingLogger(): Pick<Client, "logged" | "logs"> & { readonly logger: Logger } {
  const logged: Logged[] = [];
  const watchers = new Set<(line: Logged) => void>();
  const at = (level: LogLevel) => (fields: object, message: string) => {
    const line = { level, fields: { ...fields }, message };
    logged.push(line);
    for (const watcher of watchers) watcher(line);
  };
  const logs = (level: LogLevel, pattern: RegExp) => {
    const matches = (line: Logged) => line.level === level && pattern.test(line.message);
    const found = logged.find(matches);
    if (found) return Promise.resolve(found);
    return new Promise<Logged>((resolve) => {
      watchers.add((line) => matches(line) && resolve(line));
    });
  };
  const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { logged, logs, logger };
}

/** Something that a test lets happen. */
export function gate<T = void>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>();
}
