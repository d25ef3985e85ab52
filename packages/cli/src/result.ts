/** Waits for results and prints them. */
import { inspect } from "node:util";
import { type ServerAddress, send } from "./client.ts";
import { Failure } from "./failure.ts";
import type { ServerOptions } from "./options.ts";
import { withResonate } from "./resonate.ts";
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

/** Tells a promise that was rejected from a wait that failed. */
async function explained(server: ServerAddress, id: string, error: unknown): Promise<unknown> {
  const { promise } = await send(server, "promise.get", { id });
  if (promise.state === "pending") return error;
  const state = promise.state.replace("rejected_", "");
  const reason = promise.state === "rejected" ? `: ${reasonOf(error)}` : "";
  return new Failure(`${id} was ${state}${reason}`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : plainText(error);
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
