/** Tells whether what is on record at a place is what the code asks for there now. */
import { isTimer, TAG, type Tags } from "@resonate-ts/protocol";
import { NonDeterminismError } from "../errors.ts";
import type { CreateRequest, Recorded } from "../journal/journal.ts";
import type { Operation } from "./operations.ts";

/**
 * Compares kind, function, the arguments of dispatched calls (local ones are not on record), and the version where
 * the program asked for one (otherwise the version on record is the one that counts).
 *
 * @throws NonDeterminismError when they differ.
 */
export function checkRecorded(
  operation: Operation,
  request: CreateRequest,
  recorded: Recorded,
  { versionAsked }: { readonly versionAsked: boolean },
): void {
  const kind = kindOf(recorded.tags);
  const askedKind = kindOf(request.tags);
  if (kind === askedKind && (!recorded.param || !("func" in operation))) return;
  const found = kind === "run" || kind === "rpc" ? functionOf(recorded) : undefined;
  const same =
    kind === askedKind &&
    "func" in operation &&
    (found?.func === undefined || found.func === operation.func) &&
    (!versionAsked || found?.version === undefined || found.version === operation.version);
  const otherArguments = same && kind === "rpc" && recorded.param?.differing.includes("args");
  if (same && !otherArguments) return;
  const asked = words(askedKind, "func" in operation ? operation : undefined);
  throw new NonDeterminismError({
    promiseId: recorded.id,
    recorded: words(kind, found),
    asked: otherArguments ? `${asked} with other arguments` : asked,
  });
}

/** The function and version that a record names, where it names them. */
export function functionOf(recorded: Recorded): {
  readonly func?: string;
  readonly version?: number;
} {
  const param = recorded.param?.value;
  if (typeof param !== "object" || param === null) return {};
  return {
    ...("func" in param && typeof param.func === "string" && { func: param.func }),
    ...("version" in param && typeof param.version === "number" && { version: param.version }),
  };
}

type Kind = "run" | "rpc" | "promise" | "sleep";

function kindOf(tags: Tags): Kind {
  if (isTimer(tags)) return "sleep";
  if (tags[TAG.target] !== undefined) return "rpc";
  return tags[TAG.scope] === "local" ? "run" : "promise";
}

function words(
  kind: Kind,
  found: { readonly func?: string; readonly version?: number } | undefined,
): string {
  if (!found) return `a ${kind}`;
  const { func, version } = found;
  return `${kind === "rpc" ? "an" : "a"} ${kind} of '${func || "(a function without a name)"}'${version === undefined ? "" : ` version ${version}`}`;
}
