import type { Context } from "@resonate-ts/sdk";
import { RETRIES, sendEmail, sendPush, sendSlack, sendSms } from "./channels.ts";
import type { Delivery, Order } from "./order.ts";

/** Tells everybody about an order, over all channels at once. The same as `notify.ts`, as an async function. */
export async function notify(ctx: Context, order: Order): Promise<readonly Delivery[]> {
  const retries = ctx.options({ retryPolicy: RETRIES });

  const email = ctx.beginRun(sendEmail, order, retries);
  const sms = ctx.beginRun(sendSms, order, retries);
  const slack = ctx.beginRun(sendSlack, order, retries);
  const push = ctx.beginRun(sendPush, order, retries);

  return [await email, await sms, await slack, await push];
}
