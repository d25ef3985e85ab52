/** Tells somebody who waits for a result what may be in its way. */
import { delayOf, type PromiseRecord, parseAddress, TAG } from "@resonate-ts/protocol";
import { Refused, type ServerAddress, send } from "./client.ts";
import { Failure } from "./failure.ts";
import { nextCommand } from "./next-command.ts";
import type { Terminal } from "./terminal.ts";
import { functionNameOf } from "./values.ts";

/** When it is first looked at, in ms: a worker that is there has taken it by then. */
const LOOK_FIRST_MS = 3_000;
/** Time from one look to the next, in ms. */
const LOOK_AGAIN_MS = 30_000;
/** Claims without a step done from which on something must be wrong: a worker tries again after a second, and then two. */
const VAIN_CLAIMS_MIN = 2;

export interface Waiting {
  readonly terminal: Terminal;
  readonly server: ServerAddress;
  /** What is waited for, as it was at the beginning. */
  readonly promise: PromiseRecord;
  /** Resolves after so many ms; rejects when nobody waits any more. */
  readonly pause: (ms: number) => Promise<unknown>;
}

/** Looks now and then, and says what is in the way, until `pause` rejects. */
export async function tellObstacles(waiting: Waiting): Promise<never> {
  const { terminal, server, promise, pause } = waiting;
  await pause(LOOK_FIRST_MS);
  for (;;) {
    const line = await obstacleTo(promise, server, Date.now());
    if (line !== undefined) terminal.err(line);
    await pause(LOOK_AGAIN_MS);
  }
}

/** What is in the way of a pending promise; `undefined` when nothing is, as far as one can see. */
export async function obstacleTo(
  promise: PromiseRecord,
  server: ServerAddress,
  now: number,
): Promise<string | undefined> {
  const { id, tags } = promise;
  if (tags[TAG.target] === undefined) {
    const resolve = nextCommand(["promises", "resolve", id], server);
    return `No function runs for ${id}: it waits until somebody settles it, as with: ${resolve}`;
  }
  if ((delayOf(tags) ?? 0) > now) return undefined;
  try {
    return await claimProblem(promise, server);
  } catch (error) {
    // A server that does not let us look may still tell the result.
    if (error instanceof Refused) return undefined;
    if (!(error instanceof Failure)) throw error;
    return `The server at ${server.url} does not answer; the waiting goes on.`;
  }
}

async function claimProblem(
  promise: PromiseRecord,
  server: ServerAddress,
): Promise<string | undefined> {
  const { id } = promise;
  const { state, version } = (await send(server, "task.get", { id })).task;
  if (state !== "pending" && state !== "acquired") return undefined;
  const { worker, question } = whatToCheck(promise);
  if (state === "pending" && version === 0) {
    return `Nobody has taken ${id} yet. Is ${worker} running, at ${server.url}? ${question}`;
  }
  if (version < VAIN_CLAIMS_MIN || (await hasSteps(id, server))) return undefined;
  return `${id} was taken ${version} times, and no step of it is done. ${question}`;
}

function whatToCheck({ tags, param }: PromiseRecord) {
  const target = tags[TAG.target] ?? "";
  const address = parseAddress(target);
  const func = functionNameOf(param);
  return {
    worker: address?.kind === "poll" ? `a worker of group '${address.group}'` : target,
    question: `Does the worker register ${func === undefined ? "its function" : `'${func}'`}? Its terminal says more.`,
  };
}

/** Whether its function has started anything: children are named by their place under it, or by their caller. */
async function hasSteps(id: string, server: ServerAddress): Promise<boolean> {
  const pages = await Promise.all(
    // A root names itself as its parent.
    [TAG.caller, TAG.parent].map((tag) =>
      send(server, "promise.search", { tags: { [tag]: id }, limit: 2 }),
    ),
  );
  return pages.some(({ promises }) => promises.some((found) => found.id !== id));
}
