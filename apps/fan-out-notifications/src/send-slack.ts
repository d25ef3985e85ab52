import type { Accounts } from "./accounts.ts";
import { type Adapter, answerOf, ask } from "./adapter.ts";
import type { Route } from "./notification.ts";

/** A line in the team's Slack, by an incoming webhook. Its URL is the secret. */
export function slackAdapter(account: Accounts["slack"], via: Route["via"]): Adapter {
  return {
    via,
    async send({ key, event }, signal) {
      const response = await ask(account.SLACK_WEBHOOK_URL, {
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify({ text: `*${escaped(event.subject)}*\n${escaped(event.text)}` }),
        signal,
      });
      return answerOf(response, { now: Date.now(), accepted: () => key });
    },
  };
}

/** Slack's three characters: without this, a text could mention everybody. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
