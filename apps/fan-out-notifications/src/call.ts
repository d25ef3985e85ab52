/** What is called for an event. An event is called once: what is on record for it holds, also in the next process. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Resonate, ServerRefusedError } from "@resonate-ts/sdk";
import { z } from "zod";
import { type Broadcast, broadcastSchema } from "./broadcast.ts";
import {
  type Channel,
  callId,
  type Notification,
  notificationSchema,
  PERSONAL,
  type Plan,
  type Route,
} from "./notification.ts";
import type { Branches } from "./per-channel.ts";
import { type List, readList } from "./recipients.ts";
import { sampleRecipient } from "./sandbox.ts";
import { type Settings, SettingsError } from "./settings.ts";

export type Call =
  | { readonly func: "notify"; readonly args: Notification }
  | { readonly func: "broadcast"; readonly args: Broadcast };

const TIMEOUT_MS = 5_000;

/** The part of a call on record that says what it was called with. */
const callSchema = z.union([
  z.object({ func: z.literal("notify"), args: z.tuple([notificationSchema]) }),
  z.object({ func: z.literal("broadcast"), args: z.tuple([broadcastSchema]) }),
]);

/**
 * The call for this event: as it is on record, else what is asked for, else the defaults.
 *
 * @throws SettingsError when something else was asked for than what is on record, when the list of recipients cannot be
 *   used, or when this process cannot send as it is on record.
 */
export async function callFor(resonate: Resonate, settings: Settings): Promise<Call> {
  const recorded = await recordedCall(resonate, settings.event.id);
  if (!recorded) return newCall(settings);
  if (settings.explicit && !isDeepStrictEqual(newCall(settings), recorded)) {
    throw new SettingsError(
      `order ${settings.event.id} has begun with other settings; give --order alone to go on with it, or choose another one`,
    );
  }
  checkAble(recorded, settings);
  return recorded;
}

function newCall(settings: Settings): Call {
  const { event, branches, list: asked, concurrency } = settings;
  checkWhom(settings);
  if (!asked) {
    const args = { event, recipient: sampleRecipient(0), plan: planOf(branches, settings) };
    return { func: "notify", args };
  }
  const isPersonal = ({ channel }: Branches[number]) => PERSONAL.includes(channel);
  const personal = branches.filter(isPersonal);
  if (personal.length === 0) {
    throw new SettingsError(`many recipients need one of the channels ${PERSONAL.join(", ")}`);
  }
  const plan = planOf(personal, settings);
  const team = planOf(
    branches.filter((branch) => !isPersonal(branch)),
    settings,
  );
  const list = "path" in asked ? listAt(asked.path) : sampleList(asked.sample, settings.data);
  return { func: "broadcast", args: { event, list, plan, team, concurrency } };
}

/** The sandbox's people have addresses that may be somebody's. */
function checkWhom({ branches, accounts, list }: Settings): void {
  if (list && "path" in list) return;
  const named = branches.flatMap(({ channel, fallback = channel }) => [channel, fallback]);
  const real = named.find((channel) => PERSONAL.includes(channel) && accounts[channel]);
  if (real) {
    throw new SettingsError(
      `there is an account for ${real}, so --recipients must say whom to notify`,
    );
  }
}

function planOf(branches: Branches, settings: Settings): Plan {
  const { policy, acknowledgeMs } = settings;
  const route = (channel: Channel): Route => ({
    channel,
    via: settings.accounts[channel] ? "account" : "sandbox",
    timeoutMs: settings.timeoutMs[channel] ?? TIMEOUT_MS,
    attemptsMax: settings.attemptsMax,
    // SMS alone can be looked up.
    ambiguous: settings.ambiguous[channel] ?? (channel === "sms" ? "reconcile" : "retry"),
  });
  return {
    branches: branches.map(({ channel, fallback }) => ({
      route: route(channel),
      ...(fallback && { fallback: route(fallback) }),
    })),
    policy,
    acknowledgeMs,
  };
}

function listAt(path: string): List {
  try {
    return readList(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`--recipients ${path}: ${why}`);
  }
}

function sampleList(count: number, data: string): List {
  const path = join(data, `sample-${count}.jsonl`);
  const lines = Array.from({ length: count }, (_, at) => JSON.stringify(sampleRecipient(at)));
  mkdirSync(data, { recursive: true });
  writeFileSync(path, `${lines.join("\n")}\n`);
  return readList(path);
}

/** What was begun with an account is not finished in the sandbox, and the other way round. */
function checkAble(call: Call, { accounts, event }: Settings): void {
  const plans = call.func === "notify" ? [call.args.plan] : [call.args.plan, call.args.team];
  const routes = plans.flatMap(({ branches }) =>
    branches.flatMap(({ route, fallback }) => (fallback ? [route, fallback] : [route])),
  );
  const other = routes.find(({ channel, via }) => (via === "account") !== channel in accounts);
  if (!other) return;
  const { channel, via } = other;
  throw new SettingsError(
    via === "account"
      ? `order ${event.id} has begun with an account for ${channel}, and none is set now`
      : `order ${event.id} has begun in the sandbox, and now an account for ${channel} is set`,
  );
}

async function recordedCall(resonate: Resonate, event: string): Promise<Call | undefined> {
  const id = callId(event);
  try {
    const { param } = await resonate.promises.getValue(id);
    const { func, args } = callSchema.parse(param);
    // The union has paired them.
    return { func, args: args[0] } as Call;
  } catch (error) {
    if (error instanceof ServerRefusedError && error.status === 404) return undefined;
    if (!(error instanceof z.ZodError)) throw error;
    throw new SettingsError(`there is a promise '${id}' already, and it is something else`);
  }
}
