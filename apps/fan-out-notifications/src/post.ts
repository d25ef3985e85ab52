/** How this process sends: an adapter and a gate per channel. */
import type { Accounts } from "./accounts.ts";
import type { Adapter } from "./adapter.ts";
import { Gate } from "./gate.ts";
import { CHANNELS, type Channel, type Route } from "./notification.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Post } from "./send.ts";
import { emailAdapter, SMTP_CONNECTIONS } from "./send-email.ts";
import { type PushSandbox, pushAdapter } from "./send-push.ts";
import { slackAdapter } from "./send-slack.ts";
import { smsAdapter } from "./send-sms.ts";
import { webhookAdapter } from "./send-webhook.ts";

/** Requests under way at once. */
const AT_ONCE: Readonly<Record<Channel, number>> = {
  email: SMTP_CONNECTIONS,
  sms: 50,
  slack: 4,
  push: 50,
  webhook: 50,
};

/** What providers are known to take in a second, unless they were asked for more. */
const RATES: Readonly<Partial<Record<Channel, number>>> = { email: 14, sms: 10, slack: 1 };

export interface PostOptions {
  readonly accounts: Partial<Accounts>;
  readonly sandbox: Pick<Sandbox, "accounts" | "push">;
  /** Requests in a second, by channel. */
  readonly rates: Readonly<Partial<Record<Channel, number>>>;
  readonly acknowledgeUrl: Post["acknowledgeUrl"];
  readonly note: Post["note"];
}

export function openPost(options: PostOptions): Post & { close(): void } {
  const { rates, acknowledgeUrl, note } = options;
  const adapters = openAdapters(options);
  const gates = byChannel((channel) => {
    const usual = adapters[channel].via === "account" ? RATES[channel] : undefined;
    const perSecond = rates[channel] ?? usual;
    return new Gate({ atOnce: AT_ONCE[channel], ...(perSecond !== undefined && { perSecond }) });
  });
  return {
    adapters,
    gates,
    tokens: new Set(),
    acknowledgeUrl,
    note,
    close() {
      for (const adapter of Object.values(adapters)) adapter.close?.();
    },
  };
}

function openAdapters({ accounts, sandbox }: PostOptions): Record<Channel, Adapter> {
  const via = (channel: Channel): Route["via"] => (accounts[channel] ? "account" : "sandbox");
  const { email, sms, slack, push, webhook } = { ...sandbox.accounts, ...accounts };
  const toSandbox: PushSandbox | undefined = accounts.push ? undefined : sandbox.push;
  return {
    email: emailAdapter(email, via("email")),
    sms: smsAdapter(sms, via("sms")),
    slack: slackAdapter(slack, via("slack")),
    push: pushAdapter(push, via("push"), toSandbox),
    webhook: webhookAdapter(webhook, via("webhook")),
  };
}

function byChannel<T>(make: (channel: Channel) => T): Record<Channel, T> {
  // Every channel is one of its keys.
  return Object.fromEntries(CHANNELS.map((one) => [one, make(one)])) as Record<Channel, T>;
}
