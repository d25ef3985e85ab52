/** The connections of this process: its own site by name, all else as the rules of a run allow. */
import { Agent } from "undici";
import { guardedConnector } from "./addresses.ts";
import type { Web } from "./fetch-page.ts";
import { SAMPLE_HOST } from "./sample-site.ts";

/** How long a server may be silent before its first header, and between two pieces of its body, in ms. */
const HEADERS_MS = 10_000;
const BODY_MS = 20_000;

/** `ownPort`: where this process serves the sample site. */
export function openWeb(ownPort: number): { readonly web: Web; close(): Promise<void> } {
  const agent = (allowPrivate: boolean) =>
    new Agent({
      connect: guardedConnector({ allowPrivate, ownSite: { host: SAMPLE_HOST, port: ownPort } }),
      headersTimeout: HEADERS_MS,
      bodyTimeout: BODY_MS,
    });
  const [guarded, free] = [agent(false), agent(true)];
  return {
    web: ({ allowPrivate }) => (allowPrivate ? free : guarded),
    async close() {
      await Promise.all([guarded.close(), free.close()]);
    },
  };
}
