/**
 * A record of requests and answers in the format that the protocol's own checkers read: one JSON object for each
 * request, in order, `now` never less than before. The server's own steps are not recorded; they are taken at each
 * change of time, as a server in debug mode takes them at a tick.
 */
import { PROTOCOL_VERSION } from "@resonate-ts/protocol";
import { parseRequest } from "@resonate-ts/protocol/parse";
import type { Step } from "../../src/core/step.ts";
import { execute } from "../../src/engine/execute.ts";
import type { Store } from "../../src/stores/store.ts";
import { Oracle, RETRY_MS } from "../differential/oracle.ts";
import type { Random } from "../differential/random.ts";
import { type Generated, generate } from "../differential/requests.ts";

export interface TraceLine {
  readonly kind: string;
  /** The instant at which the request was taken, in ms. */
  readonly now: number;
  /** The data of the request. */
  readonly req: unknown;
  /** The whole response. */
  readonly res: unknown;
}

const SETTINGS = { retryTimeoutMs: RETRY_MS };
const START = 1_000;
/** What the checkers do not know. */
const LEFT_OUT = ["promise.search", "task.search", "schedule.", "worker."];
const PASSES = [0, 0, 0, 1, 2, 7, 60, 700, RETRY_MS] as const;

/** Random requests to a server on an empty `store`, and what it answers. */
export async function* trace(
  store: Store,
  random: Random,
  operations: number,
): AsyncGenerator<TraceLine> {
  // It sees what the server sees, so that requests make sense.
  const oracle = new Oracle();
  oracle.now = START;
  for (let done = 0; done < operations; ) {
    const passed = random.pick(PASSES);
    oracle.now += passed;
    if (passed > 0) {
      oracle.tick();
      await tick(store, oracle.now);
    }
    const request = withoutAdditions(generate(random, oracle));
    if (LEFT_OUT.some((kind) => request.kind.startsWith(kind))) continue;
    if (!request.broken) oracle.ask(request.kind, request.data);
    yield {
      kind: request.kind,
      now: oracle.now,
      req: request.data,
      res: await answer(store, request, { corrId: `${done}`, now: oracle.now }),
    };
    done++;
  }
}

/** The request as the protocol has it. */
function withoutAdditions({ preload: _, cause: __, ...request }: Generated): Generated {
  const { then: ___, ...data } = request.data;
  return { ...request, data };
}

async function answer(
  store: Store,
  { kind, data }: Generated,
  { corrId, now }: { readonly corrId: string; readonly now: number },
): Promise<unknown> {
  const head = { corrId, version: PROTOCOL_VERSION, "resonate:debug_time": now };
  const parsed = parseRequest({ kind, head, data });
  if (!parsed.ok) {
    const refused = { corrId, status: 400, version: PROTOCOL_VERSION };
    return { kind, head: refused, data: parsed.message };
  }
  const step = parsed.request as Step; // Every request is a step of its kind.
  return (await execute(store, [step], now, SETTINGS)).answers[0];
}

async function tick(store: Store, now: number): Promise<void> {
  for (;;) {
    const { steps } = await store.due(now, 1_000);
    if (steps.length === 0) return;
    await execute(store, steps, now, SETTINGS);
  }
}
