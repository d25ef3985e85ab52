/** One request and its answer, for clients that have nothing to do with a refusal but to pass it on. */
import {
  isRefusal,
  type RequestData,
  type RequestKind,
  type ResponseData,
} from "@resonate-ts/protocol";
import { ServerRefusedError } from "../errors.ts";
import { makeRequest } from "../network/envelope.ts";
import type { Network } from "../network/network.ts";

/** @throws ServerRefusedError for every status but 200 and 300; ServerUnreachableError. */
export async function ask<K extends RequestKind>(
  network: Network,
  kind: K,
  data: RequestData[K],
): Promise<ResponseData[K]> {
  const answer = await network.send(makeRequest(kind, data));
  if (!isRefusal(answer)) return answer.data;
  throw new ServerRefusedError({
    status: answer.head.status,
    requestKind: kind,
    message: answer.data,
  });
}
