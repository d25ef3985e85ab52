import { createTransport } from "nodemailer";
import type { Accounts } from "./accounts.ts";
import type { Adapter, Message } from "./adapter.ts";
import type { Route } from "./notification.ts";

/** Connections to the mail server that are kept open. */
export const SMTP_CONNECTIONS = 10;

/** Email by SMTP. A mailbox that gets a message twice can tell by its `Message-ID`. */
export function emailAdapter(account: Accounts["email"], via: Route["via"]): Adapter {
  const options = {
    url: account.SMTP_URL,
    pool: true as const,
    maxConnections: SMTP_CONNECTIONS,
    maxMessages: Number.POSITIVE_INFINITY,
    // Whether to send again is decided by the channel's policy, on record.
    maxRequeues: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const transport = createTransport(options);
  return {
    via,
    async send(message, signal) {
      // The types do not know of `signal` yet.
      const mail = { ...mailOf(message, account.SMTP_FROM), signal };
      const { messageId } = await transport.sendMail(mail);
      return { kind: "accepted", messageId };
    },
    close: () => transport.close(),
  };
}

function mailOf({ key, event, recipient }: Message, from: string) {
  const { name = "", email: address = "" } = recipient;
  return {
    from,
    to: { name, address },
    subject: event.subject,
    text: event.text,
    messageId: `<${idLeft(key)}@${from.slice(from.indexOf("@") + 1)}>`,
    headers: { "Idempotency-Key": key },
  };
}

/** A key in the characters that RFC 5322 has for the left side of a message id. */
function idLeft(key: string): string {
  return encodeURIComponent(key);
}
