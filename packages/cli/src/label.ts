/** What a promise is of, beside its id. */
import type { NodeKind } from "@resonate-ts/protocol";

/** `(greet)` for a run, `(rpc greet)`, `(run greet)` for a call, `(sleep)`; nothing for a run of an unknown function. */
export function labelOf({ kind, func }: { readonly kind: NodeKind; readonly func?: string }) {
  if (kind === "root") return func === undefined ? "" : `(${func})`;
  return func === undefined ? `(${kind})` : `(${kind} ${func})`;
}
