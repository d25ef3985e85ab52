/** Why something does not move, from what every server tells: less than ours knows. */
import { isTimer, type PromiseRecord, type Reason, TAG, type Why } from "@resonate-ts/protocol";
import { type ServerAddress, send } from "./client.ts";
import { obstacleTo } from "./waiting.ts";

export async function whyFromRecords(
  server: ServerAddress,
  promise: PromiseRecord,
  at: number,
): Promise<Why> {
  const reason = await reasonFor(server, promise, at);
  return { id: promise.id, at, verdict: verdictOf(reason), reasons: [reason] };
}

async function reasonFor(
  server: ServerAddress,
  promise: PromiseRecord,
  at: number,
): Promise<Reason> {
  const { id, state, tags, timeoutAt, settledAt = at } = promise;
  const about = { ids: [id] };
  if (state !== "pending") {
    const text = `'${id}' is ${state}, since ${new Date(settledAt).toISOString()}.`;
    return { code: "settled", text, ...about };
  }
  if (isTimer(tags)) return { code: "sleeps", text: `'${id}' is a timer.`, until: timeoutAt };
  const obstacle = await obstacleTo(promise, server, at);
  if (tags[TAG.target] === undefined) {
    const text = tags[TAG.scope] === "local" ? `'${id}' is a step of its caller.` : obstacle;
    return { code: "external", text: text ?? "", ...about, until: timeoutAt };
  }
  return { ...(await taskReason(server, id)), ...(obstacle && { text: obstacle }), ...about };
}

async function taskReason(server: ServerAddress, id: string): Promise<Reason> {
  const { state, pid = "", cause } = (await send(server, "task.get", { id })).task;
  switch (state) {
    case "pending":
      return { code: "offered", text: `'${id}' waits for a worker to take it.` };
    case "acquired":
      return { code: "running", text: `'${id}' is held by worker '${pid}'.` };
    case "suspended":
      return { code: "awaits", text: `'${id}' waits for something it has started: see its tree.` };
    case "halted": {
      const why = cause === undefined ? "" : ` Its worker said: ${cause}`;
      const text = `'${id}' was halted. Mend what is wrong, then: resonate retry '${id}'.${why}`;
      return { code: "halted", text };
    }
    case "fulfilled":
      return { code: "settled", text: `'${id}' has just ended.` };
  }
}

function verdictOf({ code }: Reason): Why["verdict"] {
  if (code === "settled" || code === "running") return code;
  return code === "halted" ? "stuck" : "waiting";
}
