/** The form of an invocation, and the request it makes: the same as that of `resonate invoke`. */
import {
  anycast,
  type PromiseCreate,
  parseAddress,
  rootIdProblem,
  TAG,
} from "@resonate-ts/protocol";
import { toBase64 } from "./base64.ts";

/** As typed. */
export interface InvocationForm {
  readonly id: string;
  readonly func: string;
  /** A JSON array. Empty: no arguments. */
  readonly args: string;
  /** An address, or the name of a group. */
  readonly target: string;
  readonly version: string;
  readonly timeout: string;
  /** Empty: at once. */
  readonly delay: string;
}

export type Field = keyof InvocationForm;

export type Invocation =
  | { readonly kind: "request"; readonly request: PromiseCreate }
  | { readonly kind: "problem"; readonly field: Field; readonly text: string };

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const VERSION_MAX = 999_999_999;

/** The request, or what is wrong with the first field that has something wrong. */
export function invocationOf(form: InvocationForm, now: number): Invocation {
  const problem = (field: Field, text: string): Invocation => ({ kind: "problem", field, text });
  const id = form.id.trim();
  const idProblem = rootIdProblem(id);
  if (idProblem !== undefined) return problem("id", idProblem);
  const func = form.func.trim();
  if (func === "") return problem("func", "which function is to run?");
  const args = argumentsOf(form.args);
  if (!args) return problem("args", 'must be a JSON array, as in [1, "two"]');
  const target = targetOf(form.target.trim());
  if (!target)
    return problem("target", "must be the name of a group, or an address as poll://any@default");
  const version = versionOf(form.version);
  if (version === undefined)
    return problem("version", `must be a whole number from 1 to ${VERSION_MAX}`);
  const timeoutMs = durationOf(form.timeout);
  if (!timeoutMs) return problem("timeout", "must be a duration, as in 30s, 1h30m or 7d");
  const delayMs = form.delay.trim() === "" ? 0 : durationOf(form.delay);
  if (delayMs === undefined) return problem("delay", "must be a duration, as in 30s, or empty");
  const timeoutAt = now + delayMs + timeoutMs;
  const delay: Record<string, string> = delayMs === 0 ? {} : { [TAG.delay]: String(now + delayMs) };
  const tags = {
    [TAG.origin]: id,
    [TAG.branch]: id,
    [TAG.parent]: id,
    [TAG.scope]: "global",
    [TAG.target]: target,
    ...delay,
  };
  const param = { headers: {}, data: toBase64(JSON.stringify({ func, args, version })) };
  return { kind: "request", request: { id, timeoutAt, param, tags } };
}

/** Milliseconds of `30s`, `1h30m`, `250ms`; `undefined` when it is not a duration. */
export function durationOf(text: string): number | undefined {
  const parts = [...text.trim().matchAll(/(\d{1,9})(ms|s|m|h|d)/g)];
  const whole = parts.map(([part]) => part).join("");
  if (parts.length === 0 || whole !== text.trim()) return undefined;
  return parts.reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (UNITS_MS[unit] ?? 0),
    0,
  );
}

function argumentsOf(text: string): readonly unknown[] | undefined {
  if (text.trim() === "") return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function targetOf(text: string): string | undefined {
  if (parseAddress(text)) return text;
  return /^[\w.-]+$/.test(text) ? anycast(text) : undefined;
}

function versionOf(text: string): number | undefined {
  const version = /^\d{1,9}$/.test(text.trim()) ? Number(text) : 0;
  return version >= 1 ? version : undefined;
}
