/** Waits for results and prints them. */
import { inspect } from "node:util";
import type { PromiseState, Value } from "@resonate-ts/protocol";
import { type ServerAddress, send } from "./client.ts";
import { Failure } from "./failure.ts";
import type { ServerOptions } from "./options.ts";
import { withResonate } from "./resonate.ts";
import { stateInWords } from "./state.ts";
import type { Terminal } from "./terminal.ts";

/** Waits until the promise is settled and prints its value. @throws Failure when it was not resolved. */
export async function printResult(
  terminal: Terminal,
  server: ServerAddress,
  id: string,
  options: ServerOptions,
): Promise<void> {
  const value = await withResonate(server, async (resonate) => {
    const handle = await resonate.get(id);
    return handle.result();
  }).catch(async (error: unknown) => {
    throw await explained(server, id, error);
  });
  const text = options.json ? jsonText(value) : plainText(value);
  for (const line of text.split("\n")) terminal.out(line);
}

/** What to say of a promise that has ended; nothing when it was resolved. */
export async function failureOf(server: ServerAddress, id: string): Promise<Failure | undefined> {
  const { promise } = await send(server, "promise.get", { id });
  if (promise.state === "resolved") return undefined;
  const reason = promise.state === "rejected" ? `: ${await payloadInWords(promise.value)}` : "";
  return new Failure(`${id} ${ended(promise.state)}${reason}`);
}

/** Tells a promise that was rejected from a wait that failed. */
async function explained(server: ServerAddress, id: string, error: unknown): Promise<unknown> {
  const { promise } = await send(server, "promise.get", { id });
  if (promise.state === "pending") return error;
  const reason = promise.state === "rejected" ? `: ${inWords(error)}` : "";
  return new Failure(`${id} ${ended(promise.state)}${reason}`);
}

function ended(state: PromiseState): string {
  const words = stateInWords(state);
  return state === "rejected_timedout" ? words : `was ${words}`;
}

/** A value for people; of an error what it says, without the stack. */
export function inWords(value: unknown): string {
  return value instanceof Error ? `${value.name}: ${value.message}` : plainText(value);
}

/** A payload for people: base64 on the wire, and of more than JSON where the value needs it. */
export async function payloadInWords(payload: Value): Promise<string> {
  // Most commands do without it, and start sooner.
  const { createCodec } = await import("@resonate-ts/sdk");
  try {
    const value = await createCodec().decode(payload);
    if (value instanceof Error) return inWords(value);
    return inspect(value, { depth: null, breakLength: 100 });
  } catch {
    return "not readable here (encrypted, or written by another program)";
  }
}

function plainText(value: unknown): string {
  return typeof value === "string" ? value : inspect(value, { depth: null, breakLength: 100 });
}

/** JSON has no bigint: it is written as text. */
function jsonText(value: unknown): string {
  const text = JSON.stringify(value, (_key, member: unknown) =>
    typeof member === "bigint" ? String(member) : member,
  );
  return text ?? "null";
}
