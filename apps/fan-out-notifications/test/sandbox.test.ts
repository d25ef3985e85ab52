/** The channels and the sandbox's providers, with each other: what is sent is what the protocols want. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Message } from "../src/adapter.ts";
import { openPost } from "../src/post.ts";
import { type Sandbox, sampleRecipient, startSandbox } from "../src/sandbox.ts";
import { DEVICE_KEYS, decrypt } from "../src/sandbox-device.ts";
import { signature } from "../src/send-webhook.ts";
import { openSandbox, temporaryFolder } from "./lab.ts";

const SIGNAL = new AbortController().signal;

function message(more: Partial<Message> = {}): Message {
  const event = { id: "1", subject: "Shipped <now> & ever", text: "Order 1.\nThanks!" };
  return { key: "notify-1:0", event, recipient: sampleRecipient(0), ...more };
}

function post(sandbox: Sandbox) {
  return openPost({
    accounts: {},
    sandbox,
    rates: {},
    acknowledgeUrl: () => "",
    note() {},
  });
}

test("an email has the key as its Message-ID, and says what it is to say", async () => {
  const sandbox = await openSandbox();
  const { adapters, close } = post(sandbox);

  const answer = await adapters.email.send(message(), SIGNAL);
  close();

  expect(answer).toEqual({ kind: "accepted", messageId: "<notify-1%3A0@example.com>" });
  expect(sandbox.received).toMatchObject([
    { channel: "email", key: "notify-1:0", to: "ada@example.com" },
  ]);
  const { text = "" } = sandbox.received[0] ?? {};
  expect(text).toContain("To: Ada <ada@example.com>");
  expect(text).toContain("Subject: Shipped <now> & ever");
  expect(text).toContain("Order 1.\r\nThanks!");
});

test("an SMS is a form of Twilio's, and can be found again", async () => {
  const sandbox = await openSandbox();
  const { sms } = post(sandbox).adapters;

  expect(await sms.find?.(message(), SIGNAL)).toMatchObject({ kind: "busy" });
  expect(await sms.send(message(), SIGNAL)).toEqual({
    kind: "accepted",
    messageId: "SM-notify-1:0",
  });
  expect(await sms.find?.(message(), SIGNAL)).toEqual({
    kind: "accepted",
    messageId: "SM-notify-1:0",
  });
  expect(sandbox.received).toMatchObject([{ to: "+15550000000", text: "Order 1.\nThanks! (1)" }]);
});

test("in Slack nothing that was said becomes a mention", async () => {
  const sandbox = await openSandbox();
  await post(sandbox).adapters.slack.send(message(), SIGNAL);
  expect(sandbox.received[0]?.text).toBe("*Shipped &lt;now&gt; &amp; ever*\nOrder 1.\nThanks!");
});

test("a push message is encrypted for the device and signed", async () => {
  const sandbox = await openSandbox();
  const { push } = post(sandbox).adapters;

  expect(await push.send(message(), SIGNAL)).toMatchObject({ kind: "accepted" });
  expect(JSON.parse(sandbox.received[0]?.text ?? "")).toEqual({
    id: "1",
    title: "Shipped <now> & ever",
    body: "Order 1.\nThanks!",
  });
});

test("a push message by somebody else's key is refused", async () => {
  const [one, other] = [await openSandbox(), await openSandbox()];
  const { push } = post({
    ...one,
    accounts: { ...one.accounts, push: other.accounts.push },
  }).adapters;
  expect(await push.send(message(), SIGNAL)).toEqual({ kind: "refused", why: "answered 403" });
});

test.each([
  "https://169.254.169.254/push/ada",
  "https://push.sandbox.test.example.com/push/ada",
  "http://push.sandbox.test/push/ada",
])("a subscription that names %s is refused, and nobody is asked", async (endpoint) => {
  const sandbox = await openSandbox();
  const recipient = { ...sampleRecipient(0), push: { endpoint, keys: DEVICE_KEYS } };
  expect(await post(sandbox).adapters.push.send(message({ recipient }), SIGNAL)).toMatchObject({
    kind: "refused",
    why: expect.stringContaining("PUSH_HOSTS"),
  });
  expect(sandbox.received).toEqual([]);
});

test("a message for another device cannot be decrypted", () => {
  expect(() => decrypt(Buffer.alloc(200, 1))).toThrow();
});

test("a webhook is signed; a wrong or old signature is refused", async () => {
  const sandbox = await openSandbox();
  const { webhook } = post(sandbox).adapters;
  expect(await webhook.send(message(), SIGNAL)).toMatchObject({ kind: "accepted" });

  const { WEBHOOK_URL, WEBHOOK_SECRET } = sandbox.accounts.webhook;
  const body = sandbox.received[0]?.text ?? "";
  const ask = async ({
    timestamp = now,
    signed = body,
    id = "notify-1:9",
    key = "notify-1:9",
    as = sign,
  }) => {
    const headers = {
      "idempotency-key": key,
      "webhook-id": id,
      "webhook-timestamp": `${timestamp}`,
      "webhook-signature": as(id, `${timestamp}`, signed),
    };
    return (await fetch(WEBHOOK_URL, { method: "POST", headers, body })).status;
  };
  const sign = (id: string, timestamp: string, signed: string) =>
    signature(WEBHOOK_SECRET, { id, timestamp, body: signed });
  const now = Math.floor(Date.now() / 1_000);
  expect(await ask({})).toBe(204);
  expect(await ask({ signed: `${body} ` })).toBe(401);
  expect(await ask({ timestamp: now - 3_600 })).toBe(401);
  expect(await ask({ timestamp: now + 3_600 })).toBe(401);
  expect(await ask({ timestamp: Number.NaN })).toBe(401);
  expect(await ask({ key: "notify-2:9" })).toBe(401);
  expect(await ask({ as: (...parts) => sign(...parts).slice(0, -1) })).toBe(401);
  expect(await ask({ as: (...parts) => sign(...parts).replace("v1,", "") })).toBe(401);
  expect(await ask({ id: "notify-1:9.1", key: "notify-1:9.1" })).toBe(401);
});

test("what is signed can be parted in one way only, whatever the key", async () => {
  const sandbox = await openSandbox();
  const { webhook } = post(sandbox).adapters;
  const key = "notify-1:2.4";

  expect(await webhook.send({ ...message(), key }, SIGNAL)).toMatchObject({ kind: "accepted" });

  expect(sandbox.received[0]).toMatchObject({ key, did: "delivered" });
});

test("a key is delivered once, also by the sandbox of another process on the same file", async () => {
  const path = join(temporaryFolder(), "sandbox.jsonl");
  const [one, two] = [await openSandbox({ path }), await openSandbox({ path })];

  for (const sandbox of [one, one, two]) await post(sandbox).adapters.slack.send(message(), SIGNAL);

  expect(two.received.map(({ did }) => did)).toEqual(["delivered", "repeated", "repeated"]);
  expect(one.received).toEqual(two.received);
});

test("a line that another process has not written to its end is read when it has", async () => {
  const path = join(temporaryFolder(), "sandbox.jsonl");
  const sandbox = await startSandbox({ path, slow: false });
  const line = JSON.stringify({ channel: "slack", key: "k", did: "delivered", to: "t", text: "é" });

  appendFileSync(path, line.slice(0, 30));
  expect(sandbox.received).toEqual([]);
  appendFileSync(path, `${line.slice(30)}\n`);

  expect(sandbox.received).toHaveLength(1);
  await sandbox.close();
});

test("what is not one of the providers' requests is refused and not kept", async () => {
  const sandbox = await openSandbox();
  const { url } = sandbox.push;
  const ask = async (path: string, init: RequestInit = {}) =>
    (await fetch(`${url}${path}`, { method: "POST", ...init })).status;

  expect(await ask("/pigeon")).toBe(404);
  expect(await ask("/services/T0/B0/sandbox", { body: '{"text":"without a key"}' })).toBe(400);
  expect(await ask("/services/T0/B0/sandbox", { body: "not JSON" })).toBe(400);
  expect(await ask("/push/ada", { body: "plain" })).toBe(400);
  expect(await ask("/2010-04-01/Accounts/AC/Messages.json")).toBe(400);
  const headers = { authorization: "Basic bm86Ym9keQ==" };
  expect(await ask("/2010-04-01/Accounts/AC/Messages.json", { headers })).toBe(401);
  expect(sandbox.received).toEqual([]);
});
