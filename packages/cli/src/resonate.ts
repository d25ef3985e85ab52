/** The SDK as a visitor: it serves no function, and leaves when it has its answer. */
import type { Resonate } from "@resonate-ts/sdk";
import type { ServerAddress } from "./client.ts";

/** Runs `work` with a client of its own. */
export async function withResonate<T>(
  { url, token }: ServerAddress,
  work: (resonate: Resonate) => Promise<T>,
): Promise<T> {
  // Most commands do without it, and start sooner.
  const sdk = await import("@resonate-ts/sdk");
  const resonate = new sdk.Resonate({
    url,
    ...(token === undefined ? {} : { token }),
    // A group of its own: in any other it would be handed work.
    group: `cli-${crypto.randomUUID()}`,
    logLevel: "error",
  });
  try {
    return await work(resonate);
  } finally {
    await resonate.stop();
  }
}
