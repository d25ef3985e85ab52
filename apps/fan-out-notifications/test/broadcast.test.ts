import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Broadcast, BroadcastReport } from "../src/broadcast.ts";
import type { Branch } from "../src/notification.ts";
import { readList } from "../src/recipients.ts";
import { broadcastSummary, isDone, jsonLines } from "../src/report.ts";
import { sampleRecipient } from "../src/sandbox.ts";
import { type Lab, notificationOf, openLab, over, temporaryFolder } from "./lab.ts";

const SUBJECT = notificationOf([]).event;

function listOf(count: number): string {
  const path = join(temporaryFolder(), "list.jsonl");
  const lines = Array.from({ length: count }, (_, at) => JSON.stringify(sampleRecipient(at)));
  writeFileSync(path, lines.join("\n"));
  return path;
}

function asked(path: string, personal: readonly Branch[], team: readonly Branch[] = []): Broadcast {
  const { plan } = notificationOf(personal);
  return {
    event: SUBJECT,
    list: readList(path),
    plan,
    team: { ...plan, branches: [...team] },
    concurrency: 40,
  };
}

async function tell({ resonate }: Lab, args: Broadcast) {
  const report = await resonate.rpc<BroadcastReport>("notify-1", "broadcast", args);
  const batches = await Promise.all(
    report.batches.map(async (id) => (await resonate.promises.getValue(id)).value),
  );
  // They are what `notifyBatch` returned.
  const all = batches as Parameters<typeof jsonLines>[1];
  return { report, batches: all, reports: all.flatMap(({ reports }) => reports) };
}

test("each recipient gets each message once, and the team one in all", async () => {
  const lab = await openLab();
  const args = asked(listOf(250), [over("sms"), over("push")], [over("slack")]);

  const { report, reports, batches } = await tell(lab, args);

  expect(reports.map(({ recipient }) => recipient)).toEqual(
    Array.from({ length: 250 }, (_, at) => sampleRecipient(at).id),
  );
  expect(isDone(report, reports)).toBe(true);
  const received = lab.sandbox.received.map(({ channel, to }) => `${channel} ${to}`);
  expect(received).toHaveLength(501);
  expect(new Set(received).size).toBe(501);
  expect(jsonLines(report.team, batches).trim().split("\n")).toHaveLength(501);
  const seen = { received: lab.sandbox.received, sentNow: 501, wallMs: 1 };
  expect(broadcastSummary(report, reports, seen)).toContain("250 of 250 recipients notified.");
});

test("one recipient that fails does not keep the others from being told", async () => {
  const lab = await openLab({
    faults: ({ to }) => (to === "+15550000007" ? { kind: "refuse", status: 400 } : undefined),
  });

  const { report, reports } = await tell(lab, asked(listOf(12), [over("sms")]));

  expect(reports.filter(({ met }) => !met).map(({ recipient }) => recipient)).toEqual([
    "customer-7",
  ]);
  expect(reports).toHaveLength(12);
  expect(isDone(report, reports)).toBe(false);
});

test("a list that has changed since the event began is not used", async () => {
  const lab = await openLab();
  const path = listOf(3);
  const args = asked(path, [over("sms")]);
  writeFileSync(path, JSON.stringify({ ...sampleRecipient(0), phone: "+15559999999" }));

  const { report } = await tell(lab, args);

  expect(report.broken).toEqual([expect.stringContaining("has changed since this event began")]);
  expect(lab.did()).toEqual([]);
});
