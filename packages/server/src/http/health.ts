/** Whether the server works. */
import { PROTOCOL_VERSION, type Request } from "@resonate-ts/protocol";
import type { Engine } from "../engine/engine.ts";

/** A storage that takes longer than this to answer is not ready. */
const READY_TIMEOUT_MS = 2_000;

const QUESTION: Request<"promise.get"> = {
  kind: "promise.get",
  head: { corrId: "ready", version: PROTOCOL_VERSION },
  data: { id: "ready" },
};

/** Whether the storage answers a look-up within two seconds, and takes writes. */
export async function isReady(engine: Pick<Engine, "process" | "writable">): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, READY_TIMEOUT_MS, false);
  const answered = engine.process([QUESTION]).then(
    ([answer]) => answer !== undefined && answer.head.status < 500,
    () => false,
  );
  const ready = await Promise.race([answered, late]);
  clearTimeout(timer);
  // Looked at after the look-up, which finds out whether there is room again.
  return ready && engine.writable;
}
