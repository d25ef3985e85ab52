import { z } from "zod";
import type { Accounts } from "./accounts.ts";
import { type Adapter, answerOf, ask, type Message, type Response } from "./adapter.ts";
import type { Route } from "./notification.ts";

const messageSchema = z.object({ sid: z.string() });
const listSchema = z.object({ messages: z.array(messageSchema.extend({ body: z.string() })) });

/** Messages to one number among which one is looked for: the newest. */
const PAGE = 50;

/** SMS by the HTTP API of Twilio, or one like it (2010-04-01, `Messages`). */
export function smsAdapter(account: Accounts["sms"], via: Route["via"]): Adapter {
  const { TWILIO_ACCOUNT_SID: sid, TWILIO_AUTH_TOKEN: token, TWILIO_API_URL: api } = account;
  const url = new URL(`/2010-04-01/Accounts/${encodeURIComponent(sid)}/Messages.json`, api).href;
  const authorization = `Basic ${Buffer.from(`${sid}:${token}`).toString("base64")}`;
  return {
    via,
    async send(message, signal) {
      const headers = {
        authorization,
        "content-type": "application/x-www-form-urlencoded",
        "idempotency-key": message.key,
      };
      const { phone: To = "" } = message.recipient;
      const form = new URLSearchParams({ To, From: account.TWILIO_FROM, Body: bodyOf(message) });
      const response = await ask(url, { headers, body: form.toString(), signal });
      return answerOf(response, { now: Date.now(), accepted: sidOf });
    },
    /** The API has no keys, so a message is known by its number and its text, which names the event. */
    async find(message, signal) {
      const query = new URLSearchParams({ To: message.recipient.phone ?? "", PageSize: `${PAGE}` });
      const headers = { authorization };
      const response = await ask(`${url}?${query}`, { method: "GET", headers, signal });
      if (response.status !== 200) return { kind: "silent", why: `answered ${response.status}` };
      const { messages } = listSchema.parse(JSON.parse(response.text));
      const found = messages.find(({ body }) => body === bodyOf(message));
      if (found) return { kind: "accepted", messageId: found.sid };
      return { kind: "busy", why: "it was not delivered" };
    },
  };
}

function bodyOf({ event }: Message): string {
  return `${event.text} (${event.id})`;
}

function sidOf({ text }: Response): string {
  return messageSchema.parse(JSON.parse(text)).sid;
}
