import { setTimeout } from "node:timers/promises";

/** Time between two looks, in ms. */
const LOOK_AGAIN_MS = 250;
/** How long a server may take to answer a look, in ms. */
const ANSWER_MS = 2_000;

/** Resolves once a server answers at `url`. Calls `absent` once when it does not at first, and keeps looking. */
export async function waitForServer(url: string, absent: () => void): Promise<void> {
  if (await answers(url)) return;
  absent();
  do await setTimeout(LOOK_AGAIN_MS);
  while (!(await answers(url)));
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL("/ready", url), {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
