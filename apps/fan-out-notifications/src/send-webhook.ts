import { createHmac } from "node:crypto";
import type { Accounts } from "./accounts.ts";
import { type Adapter, answerOf, ask } from "./adapter.ts";
import type { Route } from "./notification.ts";

/** A JSON document to a system of one's own, signed as standardwebhooks.com has it. */
export function webhookAdapter(account: Accounts["webhook"], via: Route["via"]): Adapter {
  return {
    via,
    async send({ key, event, recipient }, signal) {
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const body = JSON.stringify({ type: "notification", event, recipient: recipient.id });
      const id = webhookId(key);
      const signed = { id, timestamp, body };
      const response = await ask(account.WEBHOOK_URL, {
        headers: {
          "content-type": "application/json",
          "idempotency-key": key,
          "webhook-id": id,
          "webhook-timestamp": timestamp,
          "webhook-signature": signature(account.WEBHOOK_SECRET, signed),
        },
        body,
        signal,
      });
      return answerOf(response, { now: Date.now(), accepted: () => key });
    },
  };
}

/** What a receiver knows a message by. Without dots: they part what is signed, and nobody may part it in another way. */
export function webhookId(key: string): string {
  return key.replaceAll(".", "_");
}

/** Of what a receiver checks: who sent it, when, and that nobody changed it. */
export function signature(
  secret: string,
  { id, timestamp, body }: { id: string; timestamp: string; body: string },
): string {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}
