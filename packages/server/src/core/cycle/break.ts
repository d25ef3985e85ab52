import type { Value } from "@resonate-ts/protocol";
import { settlement } from "../settlement.ts";
import type { Deadlock, Handler, World } from "../step.ts";
import { viewTask } from "../view.ts";

/** Most ids that an error names; the cycle may be longer. */
const NAMED_MAX = 16;

/**
 * cycle.break: what a client would do who saw the deadlock, in one step with the look whether it is still there: it
 * settles one of the promises, and whoever awaits that one goes on.
 */
export const breakCycle: Handler<"cycle.break"> = {
  keys: ({ members, cycle: [victim] }) => ({
    promises: members,
    awaits: members,
    obligations: [victim],
  }),

  apply({ members, cycle }, world) {
    const all = new Set(members);
    const [victim] = cycle;
    const view = viewTask(victim, world);
    if (!view || !members.every((id) => isStuck(id, all, world))) return {};
    const verdict = { state: "rejected", value: cycleError(cycle), settledAt: world.at } as const;
    return settlement(view.promise, verdict, world).effects;
  },
};

/** Whether it waits, and only for these. */
function isStuck(id: string, members: ReadonlySet<string>, world: World): boolean {
  if (viewTask(id, world)?.task.state !== "suspended") return false;
  const { awaited, more } = world.awaits(id);
  return !more && awaited.every((one) => members.has(one));
}

/**
 * An error as every SDK reads it, with its code and the cycle among its fields. The header tells a client that the
 * server wrote it, so that nothing was encrypted.
 */
function cycleError(cycle: Deadlock["cycle"]): Value {
  const [victim] = cycle;
  const named = cycle.slice(0, NAMED_MAX);
  const left = cycle.length - named.length;
  const awaited = [...named.slice(1), ...(left > 0 ? [] : [victim])].map((id) => `'${id}'`);
  const rest = left > 0 ? `, and so on over ${left} more, back to '${victim}'` : "";
  const error = {
    __type: "error",
    message: `Promise '${victim}' was rejected because it would have waited for ever: it awaits ${awaited.join(", which awaits ")}${rest}. Let one of them not await the next.`,
    name: "AwaitCycleError",
    code: "AWAIT_CYCLE",
    promiseId: victim,
    cycle: named,
  };
  return { headers: { "resonate:error": error.code }, data: base64(JSON.stringify(error)) };
}

function base64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
