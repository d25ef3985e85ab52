/** An engine, and requests to it. */
import { PROTOCOL_VERSION, type RequestData, type RequestKind, TAG } from "@resonate-ts/protocol";
import type { Engine } from "../../src/engine/engine.ts";
import type { Inside } from "../../src/engine/inside.ts";

export const LATER = 2 ** 50;

/** What it shows of itself; ours show something. */
export function insideOf({ inside }: Engine): Inside {
  if (!inside) throw new Error("this engine shows nothing");
  return inside;
}

/** Sends requests together; each must succeed. */
export async function send<K extends RequestKind>(
  engine: Engine,
  requests: readonly { readonly kind: K; readonly data: RequestData[K] }[],
): Promise<void> {
  const head = { corrId: "c", version: PROTOCOL_VERSION };
  // Kind and data belong together.
  const answers = await engine.process(requests.map((one) => ({ ...one, head })) as never);
  const refused = answers.find((answer) => answer.head.status >= 300);
  if (refused) throw new Error(`${refused.kind}: ${String(refused.data)}`);
}

export interface CreateOver {
  readonly tags?: Readonly<Record<string, string>>;
  readonly param?: unknown;
  readonly timeoutAt?: number;
}

export function create(id: string, { tags = {}, param, timeoutAt = LATER }: CreateOver = {}) {
  const data = param === undefined ? {} : { data: encoded(param) };
  return { kind: "promise.create", data: { id, timeoutAt, param: data, tags } } as const;
}

export function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64");
}

/** As SDKs tag a run, its calls, and calls with an id of their own. */
export const tagsOf = {
  run: (id: string, group = "g") => ({
    [TAG.origin]: id,
    [TAG.branch]: id,
    [TAG.parent]: id,
    [TAG.scope]: "global",
    [TAG.target]: `poll://any@${group}`,
  }),
  call: (id: string, parent: string, group = "g") => ({
    [TAG.origin]: id.split(":")[0] ?? id,
    [TAG.branch]: id,
    [TAG.parent]: parent,
    [TAG.scope]: "global",
    [TAG.target]: `poll://any@${group}`,
  }),
  shared: (id: string, caller: string, group = "g") => ({
    ...tagsOf.run(id, group),
    [TAG.caller]: caller,
  }),
  step: (id: string, parent: string) => ({
    [TAG.origin]: id.split(":")[0] ?? id,
    [TAG.branch]: parent,
    [TAG.parent]: parent,
    [TAG.scope]: "local",
  }),
};
