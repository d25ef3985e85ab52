/** What a person reads, and the file of outcomes. */
import { styleText } from "node:util";
import type { BatchReport, BroadcastReport } from "./broadcast.ts";
import type { Answer } from "./judge.ts";
import { CHANNELS, type Channel, type Outcome, type Report } from "./notification.ts";
import type { Received } from "./sandbox-ledger.ts";
import type { Noted } from "./send.ts";

const SHOWN: Readonly<Record<Answer["kind"], readonly ["green" | "red" | "yellow", string]>> = {
  accepted: ["green", "delivered"],
  refused: ["red", "failed"],
  busy: ["red", "failed"],
  silent: ["yellow", "unknown"],
};

const NOTHING_SENT = "This order had been notified about before: nothing was sent.";
const OUTCOMES = ["delivered", "failed", "skipped", "unknown"] as const;
/** Outcomes of a broadcast that are shown one by one. */
const SHOWN_MAX = 10;

/** One line about a request. */
export function sentLine({ channel, key, answer }: Noted): string {
  const [color, word] = SHOWN[answer.kind];
  const why = "why" in answer ? `  ${answer.why}` : "";
  return `  ${channel.padEnd(7)}  ${styleText(color, word.padEnd(9))}  Idempotency-Key: ${key}${why}`;
}

/** What a process knows beside what is on record. */
export interface Seen {
  /** Of this event, by the sandbox, from whichever process. */
  readonly received: readonly Received[];
  /** How many requests this process made. */
  readonly sentNow: number;
  /** From the start of this process's work to the result. */
  readonly wallMs: number;
}

/** What came of one notification: the time it took, and how often each channel was asked. */
export function summary({ outcomes, met }: Report, seen: Seen): string {
  if (seen.sentNow === 0) {
    return [NOTHING_SENT, ...unmet(met)].join("\n");
  }
  const delivered = outcomes.filter(({ outcome }) => outcome === "delivered").length;
  const of = delivered === outcomes.length ? "" : ` of ${outcomes.length}`;
  return [
    ...outcomes.filter(({ outcome }) => outcome !== "delivered").map(outcomeLine),
    `${delivered}${of} channels notified. ${times(outcomes, seen)}`,
    requests(outcomes, seen),
    ...unmet(met),
  ].join("\n");
}

/** What came of a broadcast. */
export function broadcastSummary(
  { team, broken }: BroadcastReport,
  reports: readonly Report[],
  seen: Seen,
): string {
  const outcomes = [...team.outcomes, ...reports.flatMap((report) => report.outcomes)];
  const others = outcomes.filter(({ outcome }) => outcome === "failed" || outcome === "unknown");
  const met = reports.filter((report) => report.met).length;
  return [
    ...(seen.sentNow === 0 ? [NOTHING_SENT] : []),
    ...others.slice(0, SHOWN_MAX).map(outcomeLine),
    ...(others.length > SHOWN_MAX ? [`  … and ${others.length - SHOWN_MAX} more`] : []),
    ...channelsOf(outcomes).map((channel) => countsLine(channel, outcomes)),
    ...broken.map((why) => `  A batch of recipients has no report: ${why}`),
    `${met} of ${reports.length} recipients notified. ${times(outcomes, seen)}`,
    requests(outcomes, seen),
  ].join("\n");
}

/** Whether enough was delivered, to everybody. */
export function isDone({ team, broken }: BroadcastReport, reports: readonly Report[]): boolean {
  const told = team.outcomes.length === 0 || team.met;
  return told && broken.length === 0 && reports.every(({ met }) => met);
}

/** A JSON object per message. */
export function jsonLines(team: Report, batches: readonly BatchReport[]): string {
  const reports = [team, ...batches.flatMap((batch) => batch.reports)];
  const rows = reports.flatMap(({ recipient, outcomes }) =>
    outcomes.map((outcome) => JSON.stringify({ recipient, ...outcome })),
  );
  return `${rows.join("\n")}\n`;
}

function times(outcomes: readonly Outcome[], { wallMs }: Seen): string {
  const sumMs = outcomes.reduce((total, { ms }) => total + ms, 0);
  return `Wall time ${wallMs.toFixed(0)} ms; the channels' own times add up to ${sumMs} ms.`;
}

function requests(outcomes: readonly Outcome[], { received }: Seen): string {
  const calls = channelsOf(outcomes).map((channel) => callsOf(channel, outcomes, received));
  return `Requests the providers got for this order: ${calls.join(", ")}.`;
}

/** The sandbox's own count; of a provider that is none of ours, the attempts on record. */
function callsOf(
  channel: Channel,
  outcomes: readonly Outcome[],
  received: readonly Received[],
): string {
  const own = received.filter((entry) => entry.channel === channel);
  const attempts = outcomes
    .filter((outcome) => outcome.channel === channel)
    .reduce((total, outcome) => total + outcome.attempts, 0);
  const odd = (["failed", "repeated"] as const)
    .map((word) => ({ word, count: own.filter(({ did }) => did === word).length }))
    .filter(({ count }) => count > 0)
    .map(({ word, count }) => `${count} ${word}`);
  const notes = odd.length > 0 ? ` (${odd.join(", ")})` : "";
  return `${channel} ${own.length || attempts}${notes}`;
}

function channelsOf(outcomes: readonly Outcome[]): readonly Channel[] {
  return CHANNELS.filter((channel) => outcomes.some((outcome) => outcome.channel === channel));
}

function outcomeLine({ channel, outcome, key, why = "" }: Outcome): string {
  return `  ${channel.padEnd(7)}  ${outcome} (${key}): ${why}`;
}

function countsLine(channel: Channel, outcomes: readonly Outcome[]): string {
  const own = outcomes.filter((one) => one.channel === channel);
  const counts = OUTCOMES.map((word) => ({
    word,
    count: own.filter(({ outcome }) => outcome === word).length,
  }));
  const shown = counts
    .filter(({ count }) => count > 0)
    .map(({ word, count }) => `${word} ${count}`);
  return `  ${channel.padEnd(7)}  ${shown.join(", ")}`;
}

function unmet(met: boolean): readonly string[] {
  return met ? [] : ["That is less than --policy asks for."];
}
