/**
 * A run as it goes on: what it consists of now, and then what changes.
 *
 * I1. Nothing is missed: the stream of events is open before the run is read, and read again whenever events were lost.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { DashboardEvent, ExecutionNode, ExecutionTree } from "@resonate-ts/protocol";
import { Refused, type ServerAddress } from "./client.ts";
import { look, NothingToSee, notToldBy, openEvents } from "./insight.ts";

/** Time before a stream that broke is opened again, in ms. */
const AGAIN_MS = 1_000;

export type Seen =
  /** All of the run, as of now. */
  | { readonly kind: "run"; readonly run: ExecutionTree }
  /** What has changed in it. */
  | { readonly kind: "changes"; readonly nodes: readonly ExecutionNode[] }
  /** The server is away, and asked again and again. */
  | { readonly kind: "lost"; readonly reason: string };

/** Follows the run that `id` belongs to, until `signal`. @throws Failure when the server does not tell of runs. */
export async function* followRun(
  server: ServerAddress,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<Seen, void> {
  let reason = "";
  for (let known = false; !signal.aborted; ) {
    try {
      const events = await openEvents(server, id, signal);
      if (!events) throw known ? gone(id) : notToldBy(server);
      for await (const seen of seenBy(events, server, id)) {
        known = true;
        yield seen;
      }
      reason = "the stream ended";
    } catch (error) {
      if (signal.aborted) return;
      // Before anything was seen there is nothing to hold on to.
      if (!known || error instanceof Refused || error instanceof NothingToSee) throw error;
      reason = error instanceof Error ? error.message : String(error);
    }
    yield { kind: "lost", reason };
    await wait(AGAIN_MS, undefined, { signal }).catch(() => {});
  }
}

async function* seenBy(
  events: AsyncIterable<DashboardEvent>,
  server: ServerAddress,
  id: string,
): AsyncGenerator<Seen, void> {
  yield await wholeRun(server, id);
  for await (const event of events) {
    const seen = await seenIn(event, () => wholeRun(server, id));
    if (seen) yield seen;
  }
}

async function wholeRun(server: ServerAddress, id: string): Promise<Seen> {
  const run = await look(server, "tree", { id });
  if (!run) throw gone(id);
  return { kind: "run", run };
}

function gone(id: string): NothingToSee {
  return new NothingToSee(`${id} is not there any more`);
}

async function seenIn(
  { event, data }: DashboardEvent,
  readAgain: () => Promise<Seen>,
): Promise<Seen | undefined> {
  switch (event) {
    case "nodes":
      return { kind: "changes", nodes: data };
    case "reset":
      return readAgain();
    case "activity":
    case "workers":
    case "executions":
      return undefined;
  }
}
