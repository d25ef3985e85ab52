import type { Context, Durable } from "@resonate-ts/sdk";
import { RETRIES, sendEmail, sendPush, sendSlack, sendSms } from "./channels.ts";
import type { Delivery, Order } from "./order.ts";

/** Tells everybody about an order, over all channels at once. The same as `notify-async.ts`, as a generator. */
export function* notify(ctx: Context, order: Order): Durable<readonly Delivery[]> {
  const retries = ctx.options({ retryPolicy: RETRIES });

  const email = yield* ctx.beginRun(sendEmail, order, retries);
  const sms = yield* ctx.beginRun(sendSms, order, retries);
  const slack = yield* ctx.beginRun(sendSlack, order, retries);
  const push = yield* ctx.beginRun(sendPush, order, retries);

  return [yield* email, yield* sms, yield* slack, yield* push];
}
