/** The durable functions for one event to many recipients. */
import type { Context, Durable } from "@resonate-ts/sdk";
import { z } from "zod";
import { deliver } from "./deliver.ts";
import { eventSchema, planSchema, type Report } from "./notification.ts";
import {
  type List,
  ListChangedError,
  listSchema,
  readSlice,
  type Slice,
  sliceSchema,
} from "./recipients.ts";
import { reportOf } from "./report-of.ts";

/** Whose workers share the batches. */
export const GROUP = "notifications";
/** Recipients of one batch: so many go on in another process when one is killed. */
const BATCH_SIZE = 100;
const BATCHES_AT_ONCE = 4;

const toldSchema = z.object({
  event: eventSchema,
  /** What is told to each recipient. */
  plan: planSchema,
  /** Recipients that are notified at a time. */
  concurrency: z.number().int().positive(),
});

/** What `broadcast` accepts. */
export const broadcastSchema = toldSchema.extend({
  list: listSchema,
  /** Where the team is told, once. */
  team: planSchema,
});

/** What `notifyBatch` accepts. */
export const batchSchema = toldSchema.extend({ slice: sliceSchema });

export type Broadcast = Readonly<z.infer<typeof broadcastSchema>>;
export type Batch = Readonly<z.infer<typeof batchSchema>>;

export interface BroadcastReport {
  readonly team: Report;
  /** The promises of the batches, in the order of the list: their values are `BatchReport`s. */
  readonly batches: readonly string[];
  /** Why there is no report of some batches. */
  readonly broken: readonly string[];
}

export interface BatchReport {
  /** Of the promise whose value this is. */
  readonly id: string;
  readonly reports: readonly Report[];
}

/** Tells everybody on a list, and the team once. Batches go to whichever worker is free. */
export function* broadcast(ctx: Context, asked: Broadcast): Durable<BroadcastReport> {
  const { event, list, plan, team } = asked;
  const recipient = { id: "team" };
  const posts = team.branches.map(({ route }) => ctx.run(deliver, { event, recipient, route }));
  const concurrency = Math.ceil(asked.concurrency / BATCHES_AT_ONCE);
  const batches = slices(list).map((slice): Batch => ({ event, plan, slice, concurrency }));

  const settled = yield* ctx.map(batches, notifyBatch, {
    via: "rpc",
    concurrency: BATCHES_AT_ONCE,
    onError: "collect",
    options: ctx.options({ target: `poll://any@${GROUP}` }),
  });

  const keys = posts.map(({ id }) => id);
  return {
    team: reportOf(yield* ctx.allSettled(posts), { recipient, plan: team, keys }),
    batches: settled.flatMap((one) => (one.status === "fulfilled" ? [one.value.id] : [])),
    broken: settled.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : [])),
  };
}

/** Tells the recipients of a slice. */
export function* notifyBatch(ctx: Context, batch: Batch): Durable<BatchReport> {
  const { event, plan, slice, concurrency } = batch;
  const unchanged = ctx.options({ nonRetryableErrors: [ListChangedError] });
  const recipients = yield* ctx.run(readSlice, slice, unchanged);
  const notifications = recipients.map((recipient) => ({ event, recipient, plan }));
  return { id: ctx.id, reports: yield* ctx.map(notifications, "notify", { concurrency }) };
}

function slices(list: List): readonly Slice[] {
  return Array.from({ length: Math.ceil(list.count / BATCH_SIZE) }, (_, at) => {
    const from = at * BATCH_SIZE;
    return { list, from, to: Math.min(from + BATCH_SIZE, list.count) };
  });
}
