/** What came of a notification, from what came of its branches. Pure, so that both styles judge the same. */
import type { Branch, Outcome, Plan, Recipient, Report } from "./notification.ts";

/**
 * The report on one recipient. A branch that broke is in it as one whose fate is unknown: it hides none of the others.
 *
 * @param settled In the order of the plan's branches, as `keys`.
 */
export function reportOf(
  settled: readonly PromiseSettledResult<Outcome | readonly Outcome[]>[],
  call: {
    readonly recipient: Recipient;
    readonly plan: Plan;
    readonly keys: readonly string[];
  },
): Report {
  const { recipient, plan, keys } = call;
  const branches = plan.branches.map((branch, at) => {
    const one = settled[at];
    if (one?.status === "fulfilled") return [one.value].flat();
    return [broken(branch, { key: keys[at] ?? "", reason: one?.reason })];
  });
  const { id } = recipient;
  return { recipient: id, met: isMet(branches, plan.policy), outcomes: branches.flat() };
}

/** A channel and its fallback. */
export function bothOf(chain: {
  readonly first: Outcome;
  readonly second: Outcome;
  readonly acknowledged: boolean;
}): readonly Outcome[] {
  const { first, second, acknowledged } = chain;
  return [first.outcome === "delivered" ? { ...first, acknowledged } : first, second];
}

/**
 * Whether enough channels delivered. A branch delivered when its channel or the fallback did; one that had to be skipped,
 * because the recipient has no such address, is not among those that `all` asks for.
 */
export function isMet(branches: readonly (readonly Outcome[])[], policy: Plan["policy"]): boolean {
  const delivered = branches.filter((branch) =>
    branch.some(({ outcome }) => outcome === "delivered"),
  ).length;
  const skipped = branches.filter((branch) =>
    branch.every(({ outcome }) => outcome === "skipped"),
  ).length;
  if (policy === "any") return delivered > 0;
  if (policy === "all") return delivered > 0 && delivered + skipped === branches.length;
  return delivered >= policy;
}

function broken({ route }: Branch, { key, reason }: { key: string; reason: unknown }): Outcome {
  const why = reason instanceof Error ? reason.message : String(reason);
  return { channel: route.channel, outcome: "unknown", key, attempts: 0, ms: 0, why };
}
