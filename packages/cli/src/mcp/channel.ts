/**
 * Tells of promises that settle, for as long as the process lives.
 *
 * I1. What is waited for is told once it has settled: whenever the stream opens, the server is asked for it again, because
 *     what was sent while there was none is lost.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { PromiseRecord } from "@resonate-ts/protocol";
import { z } from "zod";
import { Refused, reach, type ServerAddress, send } from "../client.ts";
import { readEvents } from "../sse.ts";

/** Group of the sessions of all such processes. */
const GROUP = "mcp";
/** Time before a stream that broke is opened again, in ms. */
const AGAIN_MS = 3_000;
/** Most promises that are waited for at a time. */
const WAITING_MAX = 10_000;

export interface ChannelOptions {
  readonly server: ServerAddress;
  /** Tells this process from others. */
  readonly session: string;
  /** A promise has settled. */
  readonly settled: (promise: PromiseRecord) => void;
  /** What people should know. */
  readonly log: (line: string) => void;
}

export class Channel {
  readonly #options: ChannelOptions;
  readonly #waiting = new Set<string>();

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  /** Has the promise told when it settles, and returns it as it is now. @throws Refused as the server does. */
  async listen(id: string): Promise<PromiseRecord> {
    const { server, session } = this.#options;
    const address = `poll://uni@${GROUP}/${session}`;
    const { promise } = await send(server, "promise.register_listener", { awaited: id, address });
    if (promise.state !== "pending") return promise;
    this.#waiting.add(id);
    const [oldest] = this.#waiting;
    // It is told all the same, unless the stream breaks.
    if (this.#waiting.size > WAITING_MAX && oldest !== undefined) this.#waiting.delete(oldest);
    return promise;
  }

  /** Keeps the stream open until `signal`. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, server } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#follow(signal);
        log(`the stream of messages from ${server.url} ended`);
      } catch (error) {
        if (signal.aborted) return;
        log(error instanceof Error ? error.message : String(error));
      }
      await wait(AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { url, token } = this.#options.server;
    const base = url.endsWith("/") ? url : `${url}/`;
    const address = new URL(`poll/${GROUP}/${this.#options.session}`, base).href;
    const headers = {
      Accept: "text/event-stream",
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    };
    const response = await reach(address, { url, headers, signal });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw new Refused(response.status, `${url} refused the stream: HTTP ${response.status}`);
    }
    await this.#askAgain();
    for await (const { data } of readEvents(response.body)) this.#take(data);
  }

  /** Of everything that is waited for; what has settled meanwhile is told. */
  async #askAgain(): Promise<void> {
    for (const id of [...this.#waiting]) {
      const promise = await this.listen(id);
      if (promise.state !== "pending") this.#tell(promise);
    }
  }

  #take(data: string): void {
    const message = messageSchema.safeParse(jsonIn(data));
    // Nothing is run here, so an offer of work is for nobody.
    if (!message.success) return;
    const { promise } = message.data.data;
    this.#tell(promise as unknown as PromiseRecord); // A server tells whole records; the parser looked at the ends that are used.
  }

  #tell(promise: PromiseRecord): void {
    this.#waiting.delete(promise.id);
    this.#options.settled(promise);
  }
}

const messageSchema = z.object({
  kind: z.literal("unblock"),
  data: z.object({ promise: z.looseObject({ id: z.string(), state: z.string() }) }),
});

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
