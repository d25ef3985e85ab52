/** A list of recipients: a file with a JSON object per line. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Context } from "@resonate-ts/sdk";
import { z } from "zod";
import { type Recipient, recipientSchema } from "./notification.ts";

/** The most recipients of one event: for more, an event of their own. */
const RECIPIENTS_MAX = 10_000;

/** What is on record of a list. The recipients themselves are put on record as their turn comes. */
export const listSchema = z.object({
  path: z.string(),
  /** Of the file, in hex: an event goes to the list that was checked when it began, and to no other. */
  sha256: z.string(),
  count: z.number().int().positive(),
});

/** Some of a list. */
export const sliceSchema = z.object({
  list: listSchema,
  /** From 0. */
  from: z.number().int().nonnegative(),
  /** Exclusive. */
  to: z.number().int().positive(),
});

export type List = Readonly<z.infer<typeof listSchema>>;
export type Slice = Readonly<z.infer<typeof sliceSchema>>;

/** A list is not what it was when the event began. */
export class ListChangedError extends Error {
  override readonly name = "ListChangedError";
}

/** Reads and checks a whole list. @throws Error that names the line and the field. */
export function readList(path: string): List {
  const absolute = resolve(path);
  const { recipients, sha256 } = readFile(absolute);
  return { path: absolute, sha256, count: recipients.length };
}

/** A step: the recipients of a slice. @throws ListChangedError. */
export async function readSlice(
  _: Context,
  { list, from, to }: Slice,
): Promise<readonly Recipient[]> {
  const cached = lists.get(list.sha256);
  if (cached) return cached.slice(from, to);
  const { recipients, sha256 } = readFile(list.path);
  if (sha256 !== list.sha256) {
    throw new ListChangedError(`${list.path} has changed since this event began with it.`);
  }
  // One list at a time is in use, as a rule.
  lists.clear();
  lists.set(sha256, recipients);
  return recipients.slice(from, to);
}

const lists = new Map<string, readonly Recipient[]>();

function readFile(path: string) {
  const bytes = readFileSync(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { sha256, recipients: parse(bytes.toString()) };
}

function parse(text: string): readonly Recipient[] {
  const lines = text.split("\n").map((line, at) => ({ line, at }));
  const recipients = lines
    .filter(({ line }) => line.trim() !== "")
    .map(({ line, at }) => recipientOf(line, at + 1));
  if (recipients.length === 0) throw new Error("it has no recipients");
  if (recipients.length > RECIPIENTS_MAX) {
    throw new Error(`it has ${recipients.length} recipients, and ${RECIPIENTS_MAX} is the most`);
  }
  const ids = new Set<string>();
  for (const { id } of recipients) {
    if (ids.has(id)) throw new Error(`recipient '${id}' is in it twice`);
    ids.add(id);
  }
  return recipients;
}

function recipientOf(line: string, at: number): Recipient {
  const read = recipientSchema.safeParse(jsonOf(line));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const field = issue?.path.length ? `${issue.path.join(".")} ` : "";
  throw new Error(`line ${at}: ${field}${issue?.message}`);
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
