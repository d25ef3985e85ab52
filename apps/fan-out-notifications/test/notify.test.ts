import type { TreeNode } from "@resonate-ts/sdk";
import { describe, expect, test } from "vitest";
import { type Branch, notificationSchema } from "../src/notification.ts";
import { isMet } from "../src/report-of.ts";
import { fates, notificationOf, openLab, over } from "./lab.ts";

const PUSH_OR_SMS: Branch = { ...over("push"), fallback: over("sms").route };

describe.each(["generator", "async"])("the %s version", (style) => {
  test("delivers over all channels, each under the id of its branch", async () => {
    const { notify, sandbox } = await openLab({ style });

    const report = await notify(
      (["email", "sms", "slack", "push", "webhook"] as const).map((channel) => over(channel)),
    );

    expect(report.met).toBe(true);
    expect(report.outcomes.map(({ channel, key, outcome }) => [channel, key, outcome])).toEqual([
      ["email", "notify-1:0", "delivered"],
      ["sms", "notify-1:1", "delivered"],
      ["slack", "notify-1:2", "delivered"],
      ["push", "notify-1:3", "delivered"],
      ["webhook", "notify-1:4", "delivered"],
    ]);
    const keys = sandbox.received.map(({ channel, key }) => `${channel} ${key}`);
    expect(keys.toSorted()).toEqual(
      report.outcomes.map(({ channel, key }) => `${channel} ${key}`).toSorted(),
    );
  });

  test("skips the fallback when the recipient has acknowledged in time", async () => {
    const { notify, did } = await openLab({ style });

    const report = await notify([PUSH_OR_SMS]);

    expect(report.met).toBe(true);
    expect(fates(report)).toMatchObject({
      push: { outcome: "delivered", acknowledged: true },
      sms: { outcome: "skipped", attempts: 0, why: "acknowledged already" },
    });
    expect(did()).toEqual(["push delivered"]);
  });

  test("takes the fallback when nobody has acknowledged in time", async () => {
    const { notify, did } = await openLab({ style, awake: false });

    const report = await notify([PUSH_OR_SMS], { acknowledgeMs: 200 });

    expect(fates(report)).toMatchObject({
      push: { outcome: "delivered", acknowledged: false },
      sms: { outcome: "delivered" },
    });
    expect(did()).toEqual(["push delivered", "sms delivered"]);
  });

  test("takes the fallback at once when there is nothing to acknowledge", async () => {
    const refusesPush = ({ channel }: { channel: string }) =>
      channel === "push" ? ({ kind: "refuse", status: 404 } as const) : undefined;
    const { notify } = await openLab({ style, faults: refusesPush });

    const since = performance.now();
    const report = await notify([PUSH_OR_SMS], { acknowledgeMs: 60_000 });

    expect(performance.now() - since).toBeLessThan(30_000);
    expect(report.met).toBe(true);
    expect(fates(report)).toMatchObject({
      push: { outcome: "failed", unsubscribe: true },
      sms: { outcome: "delivered" },
    });
  });
});

test("both versions leave the same record", async () => {
  const branches = [over("email"), over("sms", { ambiguous: "reconcile" }), PUSH_OR_SMS];
  const own = branches.filter(({ route }) => route.channel !== "sms");
  const refusesEmail = ({ channel }: { channel: string }, attempt: number) =>
    channel === "email" && attempt === 1 ? ({ kind: "refuse", status: 450 } as const) : undefined;
  const [generator, async] = await Promise.all(
    ["generator", "async"].map(async (style) => {
      const lab = await openLab({ style, awake: false, faults: refusesEmail });
      await lab.notify(own, { acknowledgeMs: 200 });
      return record(await lab.resonate.promises.tree("notify-1"));
    }),
  );

  expect(generator).toEqual(async);
  expect(generator?.length).toBeGreaterThan(10);
});

/** Ids, functions and states of a tree, in the order of their ids. */
function record(node: TreeNode): string[] {
  const own = `${node.id} ${node.func} ${node.state}`;
  return [own, ...node.children.flatMap(record)].toSorted();
}

test("a recipient without an address is skipped, and asks nothing of the policy", async () => {
  const { resonate, did } = await openLab();
  const given = notificationOf([over("email"), over("sms")]);
  const { phone, ...recipient } = given.recipient;

  const report = await resonate.rpc("notify-1", "notify", { ...given, recipient });

  expect(report.met).toBe(true);
  expect(fates(report)).toMatchObject({ sms: { outcome: "skipped", why: "no phone number" } });
  expect(did()).toEqual(["email delivered"]);
});

test.each([
  ["email", "ada@example.com\r\nBcc: everybody@example.com"],
  ["name", "Ada\nBcc: everybody@example.com"],
  ["phone", "not a number"],
])("a recipient whose %s is wrong is refused before anything is sent", async (field, value) => {
  const { resonate, did } = await openLab();
  const given = notificationOf([over("slack"), over("email")]);

  const call = resonate.rpc("notify-1", "notify", {
    ...given,
    recipient: { ...given.recipient, [field]: value },
  });

  await expect(call).rejects.toThrow(`recipient.${field}`);
  expect(did()).toEqual([]);
});

test("a subject that would begin another header is refused", () => {
  const given = notificationOf([over("email")]);
  const event = { ...given.event, subject: "Shipped\r\nBcc: everybody@example.com" };
  expect(notificationSchema.safeParse({ ...given, event }).success).toBe(false);
});

test("what is on record holds no secret", async () => {
  const { notify, resonate, sandbox } = await openLab();
  await notify((["email", "sms", "push", "webhook"] as const).map((channel) => over(channel)));

  let text = "";
  for await (const promise of resonate.promises.find()) text += JSON.stringify(promise);
  const { sms, push, webhook } = sandbox.accounts;
  for (const secret of [sms.TWILIO_ACCOUNT_SID, push.VAPID_PRIVATE_KEY, webhook.WEBHOOK_SECRET]) {
    expect(text).not.toContain(secret);
  }
  expect(text).toContain("ada@example.com");
});

const delivered = { channel: "email", outcome: "delivered", key: "k", attempts: 1, ms: 1 } as const;
const failed = { ...delivered, outcome: "failed" } as const;
const skipped = { ...delivered, outcome: "skipped" } as const;

test.each([
  ["all", [[delivered], [delivered]], true],
  ["all", [[delivered], [failed]], false],
  ["all", [[delivered], [skipped]], true],
  ["all", [[skipped], [skipped]], false],
  ["all", [[failed, delivered], [delivered]], true],
  ["any", [[failed], [delivered]], true],
  ["any", [[failed], [skipped]], false],
  [2, [[delivered], [delivered], [failed]], true],
  [2, [[delivered], [failed], [skipped]], false],
] as const)("%s of %j is met: %s", (policy, branches, met) => {
  expect(isMet(branches, policy)).toBe(met);
});
