import { expect, test } from "vitest";
import type { Channel } from "../src/notification.ts";
import type { Fault } from "../src/sandbox-desk.ts";
import { fates, openLab, over } from "./lab.ts";

/** The first requests of a channel go wrong like this, one after another. */
function first(channel: Channel, ...faults: Fault[]) {
  return (asked: { readonly channel: Channel }, attempt: number) =>
    asked.channel === channel ? faults[attempt - 1] : undefined;
}

const refuse = (status: number, retryAfter?: number): Fault => ({
  kind: "refuse",
  status,
  ...(retryAfter !== undefined && { retryAfter }),
});

test("a channel that refuses for good is failed, and hides none of the others", async () => {
  const { notify, did } = await openLab({ faults: first("sms", refuse(400)) });

  const report = await notify([over("email"), over("sms"), over("slack")]);

  expect(report.met).toBe(false);
  expect(fates(report)).toMatchObject({
    email: { outcome: "delivered", attempts: 1 },
    sms: { outcome: "failed", attempts: 1, why: "answered 400" },
    slack: { outcome: "delivered", attempts: 1 },
  });
  expect(did().toSorted()).toEqual(["email delivered", "slack delivered", "sms failed"]);
});

test("a push subscription that is gone says so", async () => {
  const { notify } = await openLab({ faults: first("push", refuse(410)) });
  expect(fates(await notify([over("push")]))).toMatchObject({
    push: { outcome: "failed", unsubscribe: true, attempts: 1 },
  });
});

test("a provider that asks for time by Retry-After gets it", async () => {
  const { notify, did } = await openLab({ faults: first("sms", refuse(429, 1)) });

  const since = performance.now();
  const report = await notify([over("sms")]);

  // Without the header it would be half a second.
  expect(performance.now() - since).toBeGreaterThan(990);
  expect(fates(report)).toMatchObject({ sms: { outcome: "delivered", attempts: 2 } });
  expect(did()).toEqual(["sms failed", "sms delivered"]);
});

test.each([
  ["email", 451],
  ["push", 503],
] as const)(
  "%s that answers %i is tried again with the same key, and given up after its attempts",
  async (channel, status) => {
    const faults = first(channel, refuse(status), refuse(status));
    const { notify, sandbox } = await openLab({ faults });

    const report = await notify([over(channel, { attemptsMax: 2 })]);

    expect(fates(report)).toMatchObject({ [channel]: { outcome: "failed", attempts: 2 } });
    expect(sandbox.received.map(({ key }) => key)).toEqual(["notify-1:0", "notify-1:0"]);
  },
);

test("an address that a mail server does not know is failed at once", async () => {
  const { notify } = await openLab({ faults: first("email", refuse(550)) });
  expect(fates(await notify([over("email")]))).toMatchObject({
    email: { outcome: "failed", attempts: 1, why: expect.stringContaining("550") },
  });
});

test.each(["email", "sms", "slack", "push", "webhook"] as const)(
  "%s whose connection is cut after the delivery: by 'retry' it is asked again, with the same key",
  async (channel) => {
    const { notify, sandbox } = await openLab({ faults: first(channel, { kind: "cut" }) });

    const report = await notify([over(channel, { ambiguous: "retry" })]);

    expect(fates(report)).toMatchObject({ [channel]: { outcome: "delivered", attempts: 2 } });
    expect(sandbox.received).toMatchObject([
      { key: "notify-1:0", did: "delivered", cut: true },
      { key: "notify-1:0", did: "repeated" },
    ]);
  },
);

test("by 'fail' its fate is unknown, and it is not asked again", async () => {
  const { notify, did } = await openLab({ faults: first("slack", { kind: "cut" }) });

  const report = await notify([over("slack", { ambiguous: "fail" })]);

  expect(fates(report)).toMatchObject({ slack: { outcome: "unknown", attempts: 1 } });
  expect(did()).toEqual(["slack delivered"]);
});

test("by 'reconcile' the provider is asked what it has, and nothing is sent again", async () => {
  const { notify, did } = await openLab({ faults: first("sms", { kind: "hang" }) });

  const report = await notify([over("sms", { ambiguous: "reconcile", timeoutMs: 200 })]);

  expect(fates(report)).toMatchObject({
    sms: { outcome: "delivered", attempts: 1, messageId: "SM-notify-1:0" },
  });
  expect(did()).toEqual(["sms delivered"]);
});

test("by 'reconcile' what the provider does not have is sent again", async () => {
  // 500 leaves open whether it was delivered; this one was not.
  const { notify, did } = await openLab({ faults: first("sms", refuse(500)) });

  const report = await notify([over("sms", { ambiguous: "reconcile" })]);

  expect(fates(report)).toMatchObject({ sms: { outcome: "delivered", attempts: 2 } });
  expect(did()).toEqual(["sms failed", "sms delivered"]);
});

test("a channel that cannot be asked what it has is unknown by 'reconcile'", async () => {
  const { notify } = await openLab({ faults: first("slack", { kind: "cut" }) });
  expect(fates(await notify([over("slack", { ambiguous: "reconcile" })]))).toMatchObject({
    slack: { outcome: "unknown", attempts: 1 },
  });
});

test("what may have been delivered before it was refused is unknown, not failed", async () => {
  const { notify } = await openLab({ faults: first("slack", { kind: "cut" }, refuse(403)) });
  expect(fates(await notify([over("slack")]))).toMatchObject({
    slack: { outcome: "unknown", attempts: 2, why: "answered 403" },
  });
});

test.each(["email", "push"] as const)(
  "%s that does not answer in its time is given up, and the next attempt gets through",
  async (channel) => {
    const { notify } = await openLab({ faults: first(channel, { kind: "hang" }) });
    const report = await notify([over(channel, { timeoutMs: 300 })]);
    expect(fates(report)).toMatchObject({ [channel]: { outcome: "delivered", attempts: 2 } });
  },
);
