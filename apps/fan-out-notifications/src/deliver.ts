/** The durable function of one branch: one message over one channel, however many requests that takes. */
import { type Context, type Durable, Never } from "@resonate-ts/sdk";
import { judge, judgeFound } from "./judge.ts";
import type { Channel, Event, Outcome, Recipient, Route } from "./notification.ts";
import { beginAttempt, canSend, findMessage, sendOnce } from "./send.ts";

export interface Delivery {
  readonly event: Event;
  readonly recipient: Recipient;
  readonly route: Route;
  /** The promise that the recipient's acknowledgement settles. */
  readonly acknowledge?: string;
  /** The recipient knows already. */
  readonly needless?: boolean;
}

/**
 * Makes requests until there is an outcome. Each request and each wait is a step on record: a `Retry-After` of an hour
 * outlives the process, and so does the number of attempts.
 *
 * The key of the message is the id of this call's promise: the same for every attempt, in whichever process.
 */
export function* deliver(ctx: Context, delivery: Delivery): Durable<Outcome> {
  const { recipient, route, needless } = delivery;
  const own = { channel: route.channel, key: ctx.id };
  const why = needless ? "acknowledged already" : missing(recipient, route.channel);
  if (why) return { ...own, outcome: "skipped", attempts: 0, ms: 0, why };
  const able = canSend(ctx, route);
  yield* ctx.assert(able, `This process has no ${route.via} for ${route.channel} ('${ctx.id}').`);

  const once = ctx.options({ retryPolicy: new Never() });
  let ms = 0;
  let doubtful = false;
  for (let attempt = 1; ; attempt++) {
    // A request that a crash cut short is made again, as if it were the first. Where that matters, its token tells.
    const token = route.ambiguous === "retry" ? undefined : yield* ctx.run(beginAttempt);
    const request = { ...delivery, key: ctx.id, attempt, token };
    const sent = yield* ctx.run(sendOnce, request, once);
    ms += sent.ms;
    doubtful ||= sent.answer.kind === "silent";
    let next = judge(sent.answer, route, attempt);
    if (next.kind === "reconcile") {
      const found = yield* ctx.run(findMessage, request, once);
      doubtful = found.kind === "silent";
      next = judgeFound(found, route, attempt);
    }
    if (next.kind === "over") {
      // An earlier request may have been delivered, whatever became of the last one.
      const { outcome } = next.fate;
      const fate = {
        ...next.fate,
        outcome: doubtful && outcome === "failed" ? "unknown" : outcome,
      };
      return { ...own, ...fate, attempts: attempt, ms };
    }
    yield* ctx.sleep(next.afterMs);
  }
}

/** Why a recipient cannot be reached over a channel, if so. */
function missing({ email, phone, push }: Recipient, channel: Channel): string | undefined {
  switch (channel) {
    case "email":
      return email === undefined ? "no email address" : undefined;
    case "sms":
      return phone === undefined ? "no phone number" : undefined;
    case "push":
      return push === undefined ? "no push subscription" : undefined;
    case "slack":
    case "webhook":
      return undefined;
  }
}
