/** Stand-ins for all providers, on loopback, so that the first run needs no accounts. They speak the real protocols. */
import webpush from "web-push";
import type { Accounts } from "./accounts.ts";
import type { Channel, Recipient } from "./notification.ts";
import { Desk, type Faults } from "./sandbox-desk.ts";
import { DEVICE_KEYS } from "./sandbox-device.ts";
import { PUSH_ORIGIN, startHttpProviders } from "./sandbox-http.ts";
import { Ledger, type Received } from "./sandbox-ledger.ts";
import { startMailServer } from "./sandbox-smtp.ts";
import type { PushSandbox } from "./send-push.ts";

/** How long each channel takes, in ms. */
const CHANNEL_MS: Readonly<Record<Channel, number>> = {
  email: 400,
  sms: 300,
  slack: 200,
  push: 250,
  webhook: 150,
};

export interface SandboxOptions {
  /** Where to keep what was received. */
  readonly path: string;
  /** Whether the providers take their time, as real ones do. Default true. */
  readonly slow?: boolean;
  /** Whether devices acknowledge what they show. Default true. */
  readonly awake?: boolean;
  /** Default none. */
  readonly faults?: Faults | undefined;
  /** Told of every request, before it is answered. */
  readonly onReceived?: (received: Received) => void;
}

export interface Sandbox {
  readonly accounts: Accounts;
  /** Where its push service is in truth. */
  readonly push: PushSandbox;
  /** Every request so far, those of earlier processes included. */
  readonly received: readonly Received[];
  close(): Promise<void>;
}

/** Starts the providers on free ports. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { path, slow = true, awake = true, faults, onReceived } = options;
  const ledger = new Ledger(path);
  const takesMs = (channel: Channel) => (slow ? CHANNEL_MS[channel] : 0);
  const desk = new Desk({ ledger, faults, takesMs, onReceived });
  const known = accountsKnown();
  const [mail, http] = await Promise.all([
    startMailServer(desk),
    startHttpProviders({ desk, accounts: known, awake }),
  ]);
  return {
    accounts: {
      email: { SMTP_URL: mail.url, SMTP_FROM: "shop@example.com" },
      sms: { ...known.sms, TWILIO_API_URL: http.url },
      slack: { SLACK_WEBHOOK_URL: `${http.url}/services/T0/B0/sandbox` },
      push: known.push,
      webhook: { ...known.webhook, WEBHOOK_URL: `${http.url}/webhook` },
    },
    push: { host: new URL(PUSH_ORIGIN).host, url: http.url },
    get received() {
      return ledger.received;
    },
    async close() {
      await Promise.all([mail.close(), http.close()]);
    },
  };
}

/** People of the sandbox, who have everything that can be notified. */
export function sampleRecipient(number: number): Recipient {
  const id = number === 0 ? "ada" : `customer-${number}`;
  return {
    id,
    name: number === 0 ? "Ada" : `Customer ${number}`,
    email: `${id}@example.com`,
    phone: `+1555${String(number).padStart(7, "0")}`,
    push: { endpoint: `${PUSH_ORIGIN}/push/${id}`, keys: DEVICE_KEYS },
  };
}

/** No secrets: whoever can reach the sandbox may use it. */
function accountsKnown() {
  const { publicKey, privateKey } = webpush.generateVAPIDKeys();
  return {
    sms: {
      TWILIO_ACCOUNT_SID: "ACsandbox",
      TWILIO_AUTH_TOKEN: "sandbox",
      TWILIO_FROM: "+15550100000",
      TWILIO_API_URL: "",
    },
    push: {
      VAPID_SUBJECT: "mailto:shop@example.com",
      VAPID_PUBLIC_KEY: publicKey,
      VAPID_PRIVATE_KEY: privateKey,
      PUSH_HOSTS: [new URL(PUSH_ORIGIN).host],
    },
    webhook: {
      WEBHOOK_SECRET: `whsec_${Buffer.from("the secret of the sandbox").toString("base64")}`,
      WEBHOOK_URL: "",
    },
  };
}
