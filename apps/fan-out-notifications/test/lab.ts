/** Notifications in this process, with providers that can be told what to do wrong. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Resonate } from "@resonate-ts/sdk";
import { openLab as openSystem } from "@resonate-ts/testing";
import { afterEach } from "vitest";
import { listenForAcknowledgements } from "../src/acknowledge.ts";
import { broadcast, GROUP, notifyBatch } from "../src/broadcast.ts";
import {
  type Branch,
  type Channel,
  type Notification,
  notificationSchema,
  type Outcome,
  type Plan,
  type Report,
  type Route,
} from "../src/notification.ts";
import { notify } from "../src/notify.ts";
import { notify as notifyAsync } from "../src/notify-async.ts";
import { openPost } from "../src/post.ts";
import {
  type Sandbox,
  type SandboxOptions,
  sampleRecipient,
  startSandbox,
} from "../src/sandbox.ts";

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A folder that goes away after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "notifications-"));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Lab {
  /** Asks the process that notifies. */
  readonly resonate: Resonate;
  readonly sandbox: Sandbox;
  /** Runs `notify` for Ada, over these channels. */
  notify(branches: readonly Branch[], more?: Partial<Plan>): Promise<Report>;
  /** What the providers did, as `channel did`, in their order. */
  did(): readonly string[];
}

export async function openLab(
  options: Partial<SandboxOptions> & { readonly style?: string } = {},
): Promise<Lab> {
  const { style = "generator", ...more } = options;
  const sandbox = await openSandbox(more);
  const acknowledgements = await listenForAcknowledgements({
    port: 0,
    secret: "secret",
    seen: (promise) => system.client.promises.resolveValue(promise, true),
  });
  closers.push(() => acknowledgements.close());
  const post = openPost({
    accounts: {},
    sandbox,
    rates: {},
    acknowledgeUrl: acknowledgements.urlOf,
    note() {},
  });
  closers.push(() => post.close());
  const system = await openSystem({
    group: GROUP,
    // Requests take the time that they take.
    clock: "system",
    register(resonate) {
      resonate.setDependency("post", post);
      const fn = style === "async" ? notifyAsync : notify;
      resonate.register("notify", fn, { input: notificationSchema });
      resonate.register(broadcast);
      resonate.register(notifyBatch);
    },
  });
  closers.push(() => system.close());
  return {
    resonate: system.client,
    sandbox,
    notify: (branches, plan) =>
      system.run<Report>("notify-1", "notify", notificationOf(branches, plan)),
    did: () => sandbox.received.map(({ channel, did }) => `${channel} ${did}`),
  };
}

/** Providers that answer at once. */
export async function openSandbox(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const path = join(temporaryFolder(), "sandbox.jsonl");
  const sandbox = await startSandbox({ path, slow: false, ...options });
  closers.push(() => sandbox.close());
  return sandbox;
}

export function notificationOf(
  branches: readonly Branch[],
  plan: Partial<Plan> = {},
): Notification {
  return {
    event: { id: "1", subject: "Order 1", text: "Order 1 has been shipped." },
    recipient: sampleRecipient(0),
    plan: { policy: "all", acknowledgeMs: 10_000, ...plan, branches: [...branches] },
  };
}

/** A branch over one channel, without a fallback. */
export function over(channel: Channel, route: Partial<Route> = {}): Branch {
  const usual = { via: "sandbox", timeoutMs: 5_000, attemptsMax: 3, ambiguous: "retry" } as const;
  return { route: { channel, ...usual, ...route } };
}

/** Outcomes by channel, without what differs from run to run. */
export function fates({ outcomes }: Report): object {
  const entries = outcomes.map(({ channel, key, ms, ...fate }: Outcome) => [channel, fate]);
  return Object.fromEntries(entries);
}
