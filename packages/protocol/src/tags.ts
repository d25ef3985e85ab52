/** The tags that mean something to the server, and the rules they must keep. */
import { addressProblem } from "./addresses.ts";
import type { Tags } from "./records.ts";

export const TAG = {
  /** Address of who runs the promise's function; makes a task. */
  target: "resonate:target",
  /** `"true"`: the deadline resolves the promise instead of rejecting it. */
  timer: "resonate:timer",
  /** `"global"` or `"local"`; a global promise can be awaited by others. */
  scope: "resonate:scope",
  /** `"true"`: can be awaited by others. */
  external: "resonate:external",
  /** Instant (decimal ms) before which the task is not offered. */
  delay: "resonate:delay",
  /** The claimed promise whose worker runs this one; promises of one branch are preloaded together. */
  branch: "resonate:branch",
  /** The root of the tree. */
  origin: "resonate:origin",
  /** The promise whose function started this one, as far as the id shows it. */
  parent: "resonate:parent",
  /** The promise whose function asked first for a child with an id of its own. Ours; servers ignore it. */
  caller: "resonate:caller",
  /** Written by older SDKs; not used. */
  prefix: "resonate:prefix",
  /** The schedule that created the promise. */
  schedule: "resonate:schedule",
} as const;

/** Whether the deadline of a promise with these tags resolves it. */
export function isTimer(tags: Tags): boolean {
  return tags[TAG.timer] === "true";
}

/** Whether others may await a promise with these tags; if so its deadline is also acted on, not just seen. */
export function isExternal(tags: Tags): boolean {
  return (
    tags[TAG.scope] === "global" ||
    tags[TAG.external] === "true" ||
    tags[TAG.target] !== undefined ||
    isTimer(tags)
  );
}

/** The instant before which a task with these tags is not offered, if there is one. */
export function delayOf(tags: Tags): number | undefined {
  const delay = tags[TAG.delay];
  return delay === undefined ? undefined : Number(delay);
}

/** Why a promise must not be created with these tags, naming the tag; `undefined` when it may. */
export function tagsProblem(promise: {
  readonly id: string;
  readonly timeoutAt: number;
  readonly tags: Tags;
}): string | undefined {
  return (
    lineageProblem(promise) ?? delayProblem(promise) ?? targetProblem(promise.tags[TAG.target])
  );
}

/** Lineage that the id does not show must not be claimed. Either separator will do, `:` or `.`. */
function lineageProblem({ id, tags }: { id: string; tags: Tags }): string | undefined {
  if (tags[TAG.origin]?.includes(":")) return `tags.${TAG.origin} must not contain ':'`;
  if (tags[TAG.prefix]?.includes(":")) return `tags.${TAG.prefix} must not contain ':'`;
  // Older SDKs, known by their prefix tag, give a child with an id of its own the branch it was made in.
  const names = TAG.prefix in tags ? [TAG.origin] : [TAG.origin, TAG.branch, TAG.parent];
  for (const name of names) {
    const ancestor = tags[name];
    if (ancestor === undefined || id === ancestor) continue;
    const next = id.startsWith(ancestor) ? id[ancestor.length] : undefined;
    if (ancestor === "" || (next !== ":" && next !== ".")) {
      return `tags.${name} must be the promise's id or an id that it extends, got '${ancestor}' for '${id}'`;
    }
  }
  return undefined;
}

function delayProblem({ timeoutAt, tags }: { timeoutAt: number; tags: Tags }): string | undefined {
  const delay = tags[TAG.delay];
  if (delay === undefined) return undefined;
  if (!/^\d{1,16}$/.test(delay)) return `tags.${TAG.delay} must be milliseconds in decimal digits`;
  if (Number(delay) >= timeoutAt) return `tags.${TAG.delay} must be before timeoutAt`;
  if (tags[TAG.target] === undefined) return `tags.${TAG.delay} requires tags.${TAG.target}`;
  return undefined;
}

function targetProblem(target: string | undefined): string | undefined {
  const problem = target === undefined ? undefined : addressProblem(target);
  return problem && `tags.${TAG.target} ${problem}`;
}
