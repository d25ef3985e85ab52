/** Reads the body of a request, and no more of it than is allowed. */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";

/** Largest body, in bytes. The official server's limit. */
export const BODY_BYTES_MAX = 2 * 1024 * 1024;

/** How long a client whose body was refused has to read the answer before the connection is cut. */
const HANG_UP_MS = 1_000;

export type Body =
  | { readonly kind: "text"; readonly text: string }
  /** Over the limit. The rest has not been read and will not be: answer, and `hangUp`. */
  | { readonly kind: "too large" }
  | { readonly kind: "not UTF-8" }
  /** The client went away in the middle: there is nobody to answer. */
  | { readonly kind: "gone" };

/** Reads the body of a request that nobody has read from. */
export function readBody(request: IncomingMessage): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= BODY_BYTES_MAX) return;
      request.pause();
      resolve({ kind: "too large" });
    });
    request.on("end", () => resolve(decode(Buffer.concat(chunks, bytes))));
    request.on("error", () => resolve({ kind: "gone" }));
    request.on("close", () => resolve({ kind: "gone" }));
  });
}

/**
 * Cuts the connection of a request that was answered before it was read. Cutting it at once could destroy the
 * answer on its way: unread input makes the system reset the connection.
 */
export function hangUp(response: ServerResponse): void {
  const { socket } = response;
  if (!socket) return;
  const timer = setTimeout(() => socket.destroy(), HANG_UP_MS);
  socket.once("close", () => clearTimeout(timer));
}

/** Bytes that are not UTF-8 are refused: replacing them would let two ids become one. */
function decode(bytes: Buffer): Body {
  return isUtf8(bytes) ? { kind: "text", text: bytes.toString("utf8") } : { kind: "not UTF-8" };
}
