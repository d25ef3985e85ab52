import type { Context, Future } from "@resonate-ts/sdk";
import { type Delivery, deliver } from "./deliver.ts";
import type { Notification, Outcome, Report, Route } from "./notification.ts";
import { bothOf, reportOf } from "./report-of.ts";

/** Tells one recipient, over all channels at once. The same as `notify.ts`, as an async function. */
export async function notify(
  ctx: Context,
  { event, recipient, plan }: Notification,
): Promise<Report> {
  const { branches, acknowledgeMs } = plan;
  const started = branches.map(({ route, fallback }): Future<Outcome | readonly Outcome[]> => {
    const delivery = { event, recipient, route };
    if (!fallback) return ctx.run(deliver, delivery);
    return ctx.run(deliverOrFallBack, delivery, { route: fallback, acknowledgeMs });
  });

  const settled = await ctx.allSettled(started);

  return reportOf(settled, { recipient, plan, keys: started.map(({ id }) => id) });
}

/** Over one channel, and over another unless the recipient has acknowledged that in time. */
async function deliverOrFallBack(
  ctx: Context,
  delivery: Delivery,
  fallback: { readonly route: Route; readonly acknowledgeMs: number },
): Promise<readonly Outcome[]> {
  const seen = ctx.promise<true>().future;
  const first = await ctx.run(deliver, { ...delivery, acknowledge: seen.id });

  // What was not delivered will not be acknowledged.
  const late = ctx.sleep(first.outcome === "delivered" ? fallback.acknowledgeMs : 0);
  const acknowledged = await ctx.race([seen, late], { cancelLosers: true });

  const needless = acknowledged === true;
  const second = await ctx.run(deliver, { ...delivery, route: fallback.route, needless });
  return bothOf({ first, second, acknowledged: needless });
}
