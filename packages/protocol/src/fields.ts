/** The fields that requests are made of, and their limits. */
import { z } from "zod";
import { addressProblem } from "./addresses.ts";
import type { Value } from "./records.ts";

/** Longest id, in bytes of UTF-8, where no limits are given. */
export const ID_LENGTH_MAX = 1_024;
/** Longest that the limit of ids can be: indexes hold no more. */
export const ID_BYTES_CEILING = 2_048;
/** Most tags on one promise, likewise. */
export const TAGS_MAX = 64;
/** Longest tag value or name, in bytes of UTF-8, likewise. */
export const TAG_LENGTH_MAX = 1_024;
/** Longest header value or name of a payload, in bytes of UTF-8. There may be as many as tags. */
export const HEADER_LENGTH_MAX = 8_192;
/** Characters of a cursor for each byte of an id: it is in base64 of percent-encoding. */
const CURSOR_PER_ID_BYTE = 4;
/** Largest page of a search. */
export const PAGE_LIMIT_MAX = 1_000;

/** What a record may be like when it is created. */
export interface RecordLimits {
  /** Longest id, in bytes of UTF-8: at most `ID_BYTES_CEILING`. */
  readonly idBytes: number;
  /** Most tags on one promise. */
  readonly tags: number;
  /** Longest tag value or name, in bytes of UTF-8. */
  readonly tagBytes: number;
}

export const DEFAULT_LIMITS: RecordLimits = {
  idBytes: ID_LENGTH_MAX,
  tags: TAGS_MAX,
  tagBytes: TAG_LENGTH_MAX,
};

export const idWithin = (bytesMax: number) =>
  z
    .string()
    .min(1)
    // One check, not three: each costs as much as a field, and every request has an id.
    .superRefine((text, context) => {
      const message = idProblem(text, bytesMax);
      if (message) context.addIssue({ code: "custom", message });
    });
export const instant = z.int().min(0);
export const version = z.int().min(0);
export const ttl = z.int().min(1);
export const value = z
  .object({
    headers: strings({ lengthMax: HEADER_LENGTH_MAX, entriesMax: TAGS_MAX }).nullish(),
    data: z.string().nullish(),
  })
  .transform(
    ({ headers, data }): Value => ({ ...(headers && { headers }), ...(data != null && { data }) }),
  );
export const address = z.string().superRefine((text, context) => {
  const message = text.isWellFormed() ? addressProblem(text) : "must be well-formed Unicode";
  if (message) context.addIssue({ code: "custom", message });
});
export const page = (limit: number, { idBytes }: Pick<RecordLimits, "idBytes">) => ({
  limit: nullable(z.int().min(1).max(PAGE_LIMIT_MAX)).transform((given) => given ?? limit),
  cursor: nullable(z.string().max(CURSOR_PER_ID_BYTE * idBytes)),
});

function idProblem(text: string, bytesMax: number): string | undefined {
  if (!fits(text, bytesMax)) return `must be at most ${bytesMax} bytes of UTF-8`;
  if (text.includes("\0")) return "must not contain a NUL character";
  // Half a surrogate pair cannot be written as UTF-8: two such ids would become one.
  return text.isWellFormed() ? undefined : "must be well-formed Unicode";
}

/** An object of strings, taken as it is. Limits are of the number of entries, and of names and texts in bytes of UTF-8. */
export function strings(limit: StringsLimit) {
  return z.custom<Readonly<Record<string, string>>>().superRefine((given: unknown, context) => {
    const found = stringsProblem(given, limit);
    if (found) context.addIssue({ code: "custom", continue: false, ...found });
  });
}

interface StringsLimit {
  readonly lengthMax: number;
  readonly entriesMax: number;
}

function stringsProblem(given: unknown, { lengthMax, entriesMax }: StringsLimit) {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return { message: "must be an object of strings" };
  }
  const entries = Object.entries(given);
  if (entries.length > entriesMax) return { message: `must have at most ${entriesMax} entries` };
  for (const [name, text] of entries) {
    const path = [name];
    if (typeof text !== "string") return { path, message: "must be a string" };
    // Programs that copy it the usual way would set a prototype instead.
    if (name === "__proto__") return { path, message: "cannot be used as a name" };
    if (!fits(name, lengthMax) || !fits(text, lengthMax)) {
      const message = `must be at most ${lengthMax} bytes of UTF-8, name and text each`;
      return { path: [name.slice(0, 40)], message };
    }
  }
  return undefined;
}

/** Whether `text` takes at most `bytesMax` bytes of UTF-8. One character takes 1 to 3 (two of them 4 together). */
export function fits(text: string, bytesMax: number): boolean {
  if (text.length > bytesMax) return false;
  return text.length * 3 <= bytesMax || new TextEncoder().encode(text).length <= bytesMax;
}

/** `null` reads as absent. */
export function nullable<S extends z.ZodType>(schema: S) {
  return schema.nullish().transform((given): z.output<S> | undefined => given ?? undefined);
}
