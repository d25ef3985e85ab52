/**
 * What a process wrote to files and synced, from the log of strace, and what a disk may hold of it when the power fails.
 *
 * I1. What was written to a file before a sync of it that has returned is there. Of what came after, each write may be
 *     there, or not, or in part, or as garbage, in any order.
 * I2. Names of files are as the process left them: what a directory loses is not modelled.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Random } from "../differential/random.ts";

/** The words that run a program with such a log. */
export function recording(log: string): readonly string[] {
  const calls = "trace=pwrite64,fdatasync,fsync,ftruncate,unlink,write,writev,sendto,sendmsg";
  return ["strace", "-f", "-qq", "-y", "-xx", "-s", "200000", "-e", calls, "-o", log];
}

export type DiskEvent =
  | { readonly kind: "write"; readonly file: string; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: "truncate"; readonly file: string; readonly size: number }
  | { readonly kind: "remove"; readonly file: string }
  | { readonly kind: "sync"; readonly file: string }
  /** A request has been answered with 200. */
  | { readonly kind: "answer" };

/** What happened to the files of `database`, in order. */
export function readRecording(log: string, database: string): readonly DiskEvent[] {
  const begun = new Map<string, string>();
  return readFileSync(log, "latin1")
    .split("\n")
    .flatMap((line): DiskEvent[] => {
      const { pid = "", call = "" } = /^(?<pid>\d+) +(?<call>.*)$/.exec(line)?.groups ?? {};
      if (call.endsWith("<unfinished ...>")) {
        begun.set(pid, call.slice(0, -"<unfinished ...>".length).trimEnd());
        return [];
      }
      const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(call);
      const event = eventOf(resumed ? `${begun.get(pid)}${resumed[1]}` : call, database);
      return event ? [event] : [];
    });
}

const WRITE = /^pwrite64\(\d+<(.*?)>, "((?:\\x[\da-f]{2})*)", \d+, (\d+)\)\s+= \d+$/;
const TRUNCATE = /^ftruncate\(\d+<(.*?)>, (\d+)\)\s+= 0$/;
const SYNC = /^f(?:data)?sync\(\d+<(.*?)>\)\s+= 0$/;
const REMOVE = /^unlink\("((?:\\x[\da-f]{2})*)"\)\s+= 0$/;
const ANSWER = `"${[..."HTTP/1.1 200"].map((one) => `\\x${one.charCodeAt(0).toString(16)}`).join("")}`;

function eventOf(call: string, database: string): DiskEvent | undefined {
  if (/^(write|writev|sendto|sendmsg)\(/.test(call)) {
    return call.includes(ANSWER) ? { kind: "answer" } : undefined;
  }
  const write = WRITE.exec(call);
  const truncate = TRUNCATE.exec(call);
  const sync = SYNC.exec(call);
  const remove = REMOVE.exec(call);
  const path = pathOf(write?.[1] ?? truncate?.[1] ?? sync?.[1]) ?? remove?.[1];
  const named = remove ? bytesOf(remove[1] ?? "").toString() : path;
  if (named === undefined) return notUnderstood(call);
  if (!named.startsWith(database)) return undefined;
  const file = basename(named);
  // The index of the log is in memory only, and made anew.
  if (file.endsWith("-shm") || file.endsWith(".pid")) return undefined;
  if (write) {
    return { kind: "write", file, at: Number(write[3]), bytes: bytesOf(write[2] ?? "") };
  }
  if (truncate) return { kind: "truncate", file, size: Number(truncate[2]) };
  return sync ? { kind: "sync", file } : { kind: "remove", file };
}

/** What failed, or is about no file. A write that is not understood would make the model wrong. */
function notUnderstood(call: string): undefined {
  const matters = /^(pwrite64|f(data)?sync|ftruncate)\(/.test(call) && !/= -1 E/.test(call);
  if (matters) throw new Error(`a line of strace is not understood: ${call.slice(0, 200)}`);
}

/** Names of files are written as they are, or as bytes. */
function pathOf(text: string | undefined): string | undefined {
  return text?.startsWith("\\x") ? bytesOf(text).toString() : text;
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text.replaceAll("\\x", ""), "hex");
}

type Change = Exclude<DiskEvent, { readonly kind: "sync" | "answer" }>;

/** The files of a database at a moment at which the power may fail. */
export class RecordedDisk {
  readonly #synced = new Map<string, Buffer>();
  #unsynced: Change[] = [];
  /** Requests that were answered. */
  answers = 0;

  take(event: DiskEvent): void {
    if (event.kind === "answer") this.answers++;
    else if (event.kind === "sync") this.#sync(event.file);
    else this.#unsynced.push(event);
  }

  /** Writes what is left into `folder`. */
  fail(folder: string, random: Random): void {
    mkdirSync(folder);
    const files = new Map(this.#synced);
    for (const change of this.#unsynced) {
      const left = change.kind === "write" ? leftOf(change, random) : change;
      if (left) apply(left, files);
    }
    for (const [file, bytes] of files) writeFileSync(join(folder, file), bytes);
  }

  #sync(file: string): void {
    for (const change of this.#unsynced) if (change.file === file) apply(change, this.#synced);
    this.#unsynced = this.#unsynced.filter((change) => change.file !== file);
  }
}

/** What a disk may have made of a write that was not synced. */
function leftOf(
  write: Extract<Change, { readonly kind: "write" }>,
  random: Random,
): Change | undefined {
  const { bytes } = write;
  switch (random.pick(["whole", "whole", "lost", "part", "garbage"] as const)) {
    case "whole":
      return write;
    case "lost":
      return undefined;
    case "part":
      return { ...write, bytes: bytes.subarray(0, random.below(bytes.length)) };
    case "garbage":
      return { ...write, bytes: Buffer.from(bytes.map(() => random.below(256))) };
  }
}

function apply(change: Change, files: Map<string, Buffer>): void {
  const { file } = change;
  const before = files.get(file) ?? Buffer.alloc(0);
  switch (change.kind) {
    case "remove":
      files.delete(file);
      return;
    case "truncate":
      files.set(file, Buffer.concat([before.subarray(0, change.size)], change.size));
      return;
    case "write": {
      const after = Buffer.alloc(Math.max(before.length, change.at + change.bytes.length));
      before.copy(after);
      change.bytes.copy(after, change.at);
      files.set(file, after);
    }
  }
}
