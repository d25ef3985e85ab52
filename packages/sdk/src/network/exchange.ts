/** One HTTP exchange whose answer is wanted whole. */
import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";

export interface Exchanged {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/**
 * Sends a request and gives its answer with the text of its body. Not by `request`, which makes a
 * stream of every body, to be read to its end at once: a tenth of the CPU time of a small exchange.
 */
export function exchange(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    dispatcher.dispatch(options, {
      onRequestStart: () => undefined,
      onResponseStart(_controller, statusCode, head) {
        status = statusCode;
        headers = head;
      },
      onResponseData(_controller, chunk) {
        chunks.push(chunk);
      },
      onResponseEnd() {
        resolve({ status, headers, text: Buffer.concat(chunks).toString("utf8") });
      },
      onResponseError: (_controller, error) => reject(error),
    });
  });
}
