/** Tells whether what is on record at a place is what the code asks for there now. */
import { isTimer, TAG, type Tags } from "@resonate-ts/protocol";
import { NonDeterminismError, ResonateError } from "../errors.ts";
import type { Recorded } from "../journal/journal.ts";

/** What is asked for. */
export interface Wanted {
  readonly tags: Tags;
  /** Of calls. */
  readonly func?: string;
  readonly version?: number;
  /** The program asked for this version; otherwise the one on record is the one that counts. */
  readonly versionAsked: boolean;
}

interface Difference {
  readonly promiseId: string;
  /** In words. */
  readonly recorded: string;
  readonly asked: string;
}

/** @throws NonDeterminismError when something else is on record at a place than what is asked for there. */
export function checkRecorded(wanted: Wanted, recorded: Recorded): void {
  const difference = differenceOf(wanted, recorded);
  if (difference) throw new NonDeterminismError(difference);
}

/** The error of a call whose id names other work already; nothing if it is the same. */
export function conflictOf(wanted: Wanted, recorded: Recorded): ResonateError | undefined {
  const difference = differenceOf(wanted, recorded);
  if (!difference) return undefined;
  const { promiseId, asked } = difference;
  return new ResonateError(
    "ID_CONFLICT",
    `'${promiseId}' is on record as ${difference.recorded}, and was asked for as ${asked}. An id names one piece of work for ever: choose another id, or leave out the option 'onConflict' to take what that one comes to.`,
  );
}

/**
 * Compares kind, function, the arguments of dispatched calls (those of local ones are not on record), and the version
 * where the program asked for one.
 */
function differenceOf(wanted: Wanted, recorded: Recorded): Difference | undefined {
  const { func, version, versionAsked } = wanted;
  const kind = kindOf(recorded.tags);
  const askedKind = kindOf(wanted.tags);
  if (kind === askedKind && (!recorded.param || func === undefined)) return undefined;
  const found = kind === "run" || kind === "rpc" ? functionOf(recorded) : undefined;
  const same =
    kind === askedKind &&
    (found?.func === undefined || found.func === func) &&
    (!versionAsked || found?.version === undefined || found.version === version);
  const otherArguments = same && kind === "rpc" && recorded.param?.differing.includes("args");
  if (same && !otherArguments) return undefined;
  const asked = words(askedKind, func === undefined ? undefined : wanted);
  return {
    promiseId: recorded.id,
    recorded: words(kind, found),
    asked: otherArguments ? `${asked} with other arguments` : asked,
  };
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
