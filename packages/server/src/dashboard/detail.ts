/** All of one promise. */
import { isUtf8 } from "node:buffer";
import type { PromiseDetail, PromiseRecord, Value } from "@resonate-ts/protocol";
import { project, projectTask } from "../core/project.ts";
import { publicPromise, publicTask } from "../core/replies.ts";
import type { Inside } from "../engine/inside.ts";
import { nodeOf } from "./node.ts";
import { pretty } from "./pretty.ts";

/** Longest payload that is shown whole, in characters of what is stored. */
export const PAYLOAD_LENGTH_MAX = 256 * 1024;
/** Most of those who wait, and of what is waited for, that are named. */
const NAMED_MAX = 100;

/** `undefined` when there is no such promise. @throws StoreDamagedError */
export async function readDetail(inside: Inside, id: string): Promise<PromiseDetail | undefined> {
  const { records } = inside;
  const [whole, [outline]] = [await records.whole(id), await records.outlines([id])];
  if (!whole || !outline) return undefined;
  const [awaiters, listeners, awaits] = [
    await records.awaiters(id, NAMED_MAX),
    await records.listeners(id, NAMED_MAX),
    await records.awaits([id], NAMED_MAX),
  ];
  const at = inside.now();
  const promise = project(whole.promise, at);
  const param = shown(promise.param);
  const value = shown(promise.value);
  return {
    promise: publicPromise({ ...promise, param: param.value, value: value.value }),
    node: nodeOf(outline, at),
    ...(whole.task && { task: publicTask(projectTask(whole.task, promise)) }),
    ...(param.text !== undefined && { paramText: param.text }),
    ...(value.text !== undefined && { valueText: value.text }),
    ...cutOf(param.cut, value.cut),
    awaiters,
    listeners,
    awaits: awaits.map(({ awaited }) => awaited),
  };
}

interface Shown {
  readonly value: PromiseRecord["param"];
  readonly text?: string;
  /** How long it is, in characters, where it was cut. */
  readonly cut?: number;
}

function shown(value: Value): Shown {
  const { data } = value;
  if (data === undefined) return { value };
  if (data.length <= PAYLOAD_LENGTH_MAX) return { value, ...textOf(data, { whole: true }) };
  const head = data.slice(0, PAYLOAD_LENGTH_MAX);
  return {
    value: { ...value, data: head },
    ...textOf(head, { whole: false }),
    cut: data.length,
  };
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Base64 of UTF-8 as text; pretty where it is JSON. */
function textOf(base64: string, { whole }: { readonly whole: boolean }): { text?: string } {
  if (base64.length % 4 !== 0 || !BASE64.test(base64)) return {};
  const bytes = Buffer.from(base64, "base64");
  // What is cut may be cut within a character.
  if (!isUtf8(whole ? bytes : bytes.subarray(0, lastWhole(bytes)))) return {};
  const text = bytes.subarray(0, whole ? bytes.length : lastWhole(bytes)).toString("utf8");
  return { text: whole ? pretty(text) : text };
}

/** Where the last character begins: up to there nothing is cut. */
function lastWhole(bytes: Buffer): number {
  let end = bytes.length - 1;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return end;
}

function cutOf(param: number | undefined, value: number | undefined): Pick<PromiseDetail, "cut"> {
  if (param === undefined && value === undefined) return {};
  return {
    cut: { ...(param !== undefined && { param }), ...(value !== undefined && { value }) },
  };
}
