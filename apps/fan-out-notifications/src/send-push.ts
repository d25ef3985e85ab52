import { createHash } from "node:crypto";
import webpush from "web-push";
import { type Accounts, isAmong, isSafe } from "./accounts.ts";
import { type Adapter, answerOf, ask, type Message } from "./adapter.ts";
import type { Route } from "./notification.ts";

/** How long a push service keeps a message for a device that is off, in s. */
const KEEP_S = 86_400;
/** Push services take 4,096 bytes, encrypted and with what is around the text. */
const TEXT_MAX = 600;
const TOPIC_LENGTH = 32;

/** Where the sandbox's push service is: nobody else is called by its name. */
export interface PushSandbox {
  readonly host: string;
  readonly url: string;
}

/** Web Push (RFC 8030), encrypted for the device (RFC 8291), signed by VAPID (RFC 8292). */
export function pushAdapter(
  account: Accounts["push"],
  via: Route["via"],
  sandbox?: PushSandbox,
): Adapter {
  const vapidDetails = {
    subject: account.VAPID_SUBJECT,
    publicKey: account.VAPID_PUBLIC_KEY,
    privateKey: account.VAPID_PRIVATE_KEY,
  };
  return {
    via,
    async send(message, signal) {
      const { push } = message.recipient;
      if (!push || !isAllowed(push.endpoint, account.PUSH_HOSTS)) {
        return {
          kind: "refused",
          why: "the subscription names no push service that PUSH_HOSTS has",
        };
      }
      const { headers, body } = webpush.generateRequestDetails(push, payloadOf(message), {
        vapidDetails,
        TTL: KEEP_S,
        // A device that was off gets a message once, however often the push service was asked.
        topic: topicOf(message.key),
      });
      const response = await ask(addressOf(push.endpoint, sandbox), {
        headers: { ...texts(headers), "idempotency-key": message.key },
        body,
        signal,
      });
      const { status } = response;
      if (status === 404 || status === 410) {
        return { kind: "refused", why: `answered ${status}: unsubscribed`, gone: true };
      }
      const accepted = () => String(response.headers["location"] ?? message.key);
      return answerOf(response, { now: Date.now(), accepted });
    },
  };
}

function isAllowed(endpoint: string, hosts: readonly string[]): boolean {
  return isSafe(endpoint) && isAmong(new URL(endpoint).host, hosts);
}

function addressOf(endpoint: string, sandbox: PushSandbox | undefined): string {
  const { host, pathname } = new URL(endpoint);
  return sandbox?.host === host ? new URL(pathname, sandbox.url).href : endpoint;
}

function payloadOf({ event, acknowledgeUrl }: Message): string {
  const { id, subject, text } = event;
  return JSON.stringify({ id, title: subject, body: text.slice(0, TEXT_MAX), acknowledgeUrl });
}

function topicOf(key: string): string {
  return createHash("sha256").update(key).digest("base64url").slice(0, TOPIC_LENGTH);
}

/** The library gives numbers, too. */
function texts(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
