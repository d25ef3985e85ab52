/** Reads the bodies of requests, and no more of them than is allowed. */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";

/** Bytes of all bodies that are being read. Who comes when there are more is asked to come again. */
const TOTAL_BYTES_MAX = 128 * 1024 * 1024;

/** How long a client whose body was refused has to read the answer before the connection is cut. */
const HANG_UP_MS = 1_000;

export type Body =
  | { readonly kind: "text"; readonly text: string }
  /** Not read to its end, and it will not be: answer with `status`, and `hangUp`. */
  | { readonly kind: "refused"; readonly status: 413 | 415 | 503; readonly message: string }
  | { readonly kind: "not UTF-8" }
  /** The client went away in the middle: there is nobody to answer. */
  | { readonly kind: "gone" };

export class BodyReader {
  readonly #bytesMax: number;
  readonly #totalBytesMax: number;
  /** Bytes of bodies that have begun and not ended. */
  #held = 0;

  /** `bytesMax`: of one body. */
  constructor(bytesMax: number, totalBytesMax = TOTAL_BYTES_MAX) {
    this.#bytesMax = bytesMax;
    this.#totalBytesMax = totalBytesMax;
  }

  /** Reads the body of a request that nobody has read from. */
  read(request: IncomingMessage): Promise<Body> {
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (encoding.toLowerCase() !== "identity") {
      const message = `Content-Encoding '${encoding}' is not taken: send the body as it is`;
      return Promise.resolve({ kind: "refused", status: 415, message });
    }
    if (Number(request.headers["content-length"] ?? 0) > this.#bytesMax) {
      return Promise.resolve(this.#tooLarge());
    }
    return this.#collect(request);
  }

  #collect(request: IncomingMessage): Promise<Body> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const finish = (body: Body) => {
        this.#held -= bytes;
        bytes = 0;
        resolve(body);
      };
      const refuse = (body: Body) => {
        request.off("data", take).pause();
        finish(body);
      };
      const take = (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        this.#held += chunk.length;
        if (bytes > this.#bytesMax) refuse(this.#tooLarge());
        else if (this.#held > this.#totalBytesMax) refuse(BUSY);
      };
      request.on("data", take);
      request.on("end", () => finish(decode(Buffer.concat(chunks, bytes))));
      request.on("error", () => finish({ kind: "gone" }));
      request.on("close", () => finish({ kind: "gone" }));
    });
  }

  #tooLarge(): Body {
    const message = `The body is larger than ${this.#bytesMax} bytes (limits.body_bytes)`;
    return { kind: "refused", status: 413, message };
  }
}

const BUSY: Body = {
  kind: "refused",
  status: 503,
  message: "The server is reading too many bodies; try again",
};

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
