/** What function a promise calls, as SDKs write it into its parameters. */
import type { Value } from "@resonate-ts/protocol";

export interface Call {
  readonly func: string;
  readonly version: number;
}

/**
 * Longest parameters that are read, in characters: some tenths of a millisecond. Nobody is given a claim for longer ones;
 * their tasks are offered.
 */
export const PARAM_LENGTH_MAX = 65_536;

/** The function that is called; `undefined` where the parameters do not say, or are too long to look at. */
export function callOf({ data }: Value): Call | undefined {
  if (data === undefined || data.length > PARAM_LENGTH_MAX) return undefined;
  try {
    const param: unknown = JSON.parse(decode(data));
    if (typeof param !== "object" || param === null) return undefined;
    const { func, version = 1 } = param as { readonly func?: unknown; readonly version?: unknown };
    return typeof func === "string" && typeof version === "number" ? { func, version } : undefined;
  } catch {
    return undefined;
  }
}

function decode(base64: string): string {
  const text = atob(base64);
  // Each character is a byte; most parameters are ASCII throughout, and so are the text already.
  if (!/[\u0080-\u00ff]/.test(text)) return text;
  return new TextDecoder().decode(Uint8Array.from(text, (byte) => byte.charCodeAt(0)));
}
