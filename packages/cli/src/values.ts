/** Payloads: base64 of text, as the SDKs write it. */
import type { Value } from "@resonate-ts/protocol";
import { z } from "zod";
import { wrongInput } from "./failure.ts";
import { jsonOf } from "./options.ts";

/** A JSON value as SDKs write and read it. */
export function encodeJson(value: unknown): Value {
  return { headers: {}, data: base64(JSON.stringify(value)) };
}

const callSchema = z.object({ func: z.string() });

/** The name of the function in the payload of a call; `undefined` where it cannot be read as plain JSON. */
export function functionNameOf({ data = "" }: Value): string | undefined {
  try {
    const text = Buffer.from(data, "base64").toString("utf8");
    return callSchema.safeParse(JSON.parse(text)).data?.func;
  } catch {
    return undefined;
  }
}

/** A payload that is not encoded yet. */
export const payloadSchema = z.strictObject({
  headers: z.record(z.string(), z.string()).optional(),
  data: z.unknown(),
});

/**
 * Reads a payload given as JSON, `{"headers": {…}, "data": …}`. Text in `data` is encoded as it is, anything else as
 * its JSON text.
 */
export function payloadOf(flag: string, text: string): Value {
  const given = payloadSchema.safeParse(jsonOf(flag, text));
  if (!given.success) {
    throw wrongInput(`${flag} must be like {"headers":{},"data":…}, got '${text}'`);
  }
  return encodedPayload(given.data);
}

/** A payload whose `data` is encoded: text as it is, anything else as its JSON text. */
export function encodedPayload({ headers, data }: z.output<typeof payloadSchema>): Value {
  const bare = typeof data === "string" ? data : JSON.stringify(data);
  return {
    ...(headers === undefined ? {} : { headers }),
    ...(bare === undefined ? {} : { data: base64(bare) }),
  };
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
