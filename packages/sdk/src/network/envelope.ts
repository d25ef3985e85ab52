/** Requests as they are sent. */
import { randomUUID } from "node:crypto";
import {
  PROTOCOL_VERSION,
  type Request,
  type RequestData,
  type RequestHead,
  type RequestKind,
} from "@resonate-ts/protocol";

const process = randomUUID().slice(0, 8);
let count = 0;

/** Names a request: unique in this process, and across processes as good as that. */
function nextCorrId(): string {
  count += 1;
  return `${process}-${count}`;
}

/** A request of this kind, ready to be sent. */
export function makeRequest<K extends RequestKind>(
  kind: K,
  data: RequestData[K],
  head: Omit<RequestHead, "corrId" | "version"> = {},
): Request<K> {
  return { kind, head: { corrId: nextCorrId(), version: PROTOCOL_VERSION, ...head }, data };
}
