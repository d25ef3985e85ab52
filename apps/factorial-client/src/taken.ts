/** Whether a worker has taken a call: what a person who waits for nothing wants to know. */
import { setTimeout } from "node:timers/promises";
import { z } from "zod";

/** How long a call may wait for a worker before that is worth saying, in ms. */
const PATIENCE_MS = 3_000;
/** How long a server may take to answer, in ms. */
const ANSWER_MS = 2_000;

export interface Call {
  /** Where the server is. */
  readonly server: string;
  /** What the server knows us by, where it asks. */
  readonly token?: string | undefined;
  readonly id: string;
}

/** Calls `nobody` when no worker has ever taken the call `id` after 3 s, unless `signal` fires first. Never rejects. */
export async function whenNobodyTakes(
  call: Call,
  signal: AbortSignal,
  nobody: () => void,
): Promise<void> {
  try {
    await setTimeout(PATIENCE_MS, undefined, { signal });
    if ((await isUntaken(call)) && !signal.aborted) nobody();
  } catch {
    // The answer came first, or the server does not say: then there is nothing to say here either.
  }
}

/** A task counts in `version` how often it was taken. */
const answerSchema = z.object({
  data: z.object({ task: z.object({ state: z.string(), version: z.number() }) }),
});

/** @throws Error when the server gives no such answer. */
export async function isUntaken({ server, token, id }: Call): Promise<boolean> {
  const head = { corrId: "taken", version: "2026-04-01" };
  const response = await fetch(server, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(token && { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ kind: "task.get", head, data: { id } }),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const { task } = answerSchema.parse(await response.json()).data;
  return task.state === "pending" && task.version === 0;
}
