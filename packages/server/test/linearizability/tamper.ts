import type { Answer } from "../differential/oracle.ts";
import type { Random } from "../differential/random.ts";
import type { Operation } from "./history.ts";

/** The history with one answer that no server can have given; `undefined` when nothing in it can be made so. */
export function tampered(
  history: readonly Operation[],
  random: Random,
): readonly Operation[] | undefined {
  const ways = history.flatMap((operation, index) =>
    [...lies(operation), ...pasts(operation, history)].map((lie) => ({ index, lie })),
  );
  if (ways.length === 0) return undefined;
  const { index, lie } = random.pick(ways);
  return history.map((operation, at) => (at === index ? { ...operation, answer: lie } : operation));
}

/** What would have been right at another time: a promise pending again, a claim that another has. */
function pasts(operation: Operation, history: readonly Operation[]): Answer[] {
  const { kind, data, answer, call } = operation;
  const before = history.filter(
    (other) => other.return < call && other.answer?.status === 200 && other.data.id === data.id,
  );
  if (kind === "promise.get") {
    const settled = before.some(({ answer: seen }) => isSettled(seen?.data.promise));
    const { value: _, settledAt: __, ...record } = answer?.data?.promise ?? {};
    return settled && isSettled(answer?.data?.promise)
      ? [{ status: 200, data: { promise: { ...record, state: "pending", value: {} } } }]
      : [];
  }
  if (kind !== "task.acquire" || answer?.status !== 409) return [];
  const winner = before.find((other) => other.kind === kind && other.data.version === data.version);
  const { answer: won } = winner ?? {};
  if (!won) return [];
  return [{ ...won, data: { ...won.data, task: { ...won.data.task, pid: data.pid } } }];
}

function isSettled(promise: { state: string } | undefined): boolean {
  return promise !== undefined && promise.state !== "pending";
}

/** What was never right. */
function lies({ kind, answer }: Operation): Answer[] {
  if (!answer) return [];
  const { status, data } = answer;
  const { promise, task } = data ?? {};
  const found: Answer[] = [];
  if (status === 404 || status >= 422) return [];
  if (promise && promise.state !== "pending") {
    const value = { data: "nobody wrote this" };
    found.push({ status, data: { ...data, promise: { ...promise, value } } });
  }
  if (promise && promise.state === "pending") {
    found.push({ status, data: { ...data, promise: { ...promise, param: { data: "x" } } } });
  }
  if (task) {
    found.push({ status, data: { ...data, task: { ...task, version: task.version + 100 } } });
    if (task.state === "acquired") {
      const pid = "nobody";
      found.push({ status, data: { ...data, task: { ...task, pid } } });
    }
  }
  if (kind === "promise.get" || kind === "task.get") found.push({ status: 409 });
  return found;
}
