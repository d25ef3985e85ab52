/**
 * What was started for a promise, read from the tags of the promises.
 *
 * The promises of one origin name their parents. Children with an id of their own are origins themselves;
 * they name the first promise that asked for them, so they are found by asking, for each promise that may
 * have started something, who names it.
 */
import { isTimer, originOf, type PromiseRecord, TAG, type Value } from "@resonate-ts/protocol";
import type { PromiseSearch } from "./promises.ts";

/** Most promises that are read for one tree. */
const PROMISES_MAX = 10_000;
const PAGE = 1_000;

/** A promise in a tree. */
export interface TreeNode {
  readonly id: string;
  readonly state: PromiseRecord["state"];
  /**
   * `root`: started by a client or a schedule. `run`: run by its parent's process. `rpc`: run by whoever
   * serves its target. `sleep`: a timer. `promise`: settled from outside.
   */
  readonly kind: "root" | "run" | "rpc" | "sleep" | "promise";
  /** The function that runs for it, where that can be read. */
  readonly func?: string;
  /** In ms since the epoch. */
  readonly createdAt: number;
  /** In ms since the epoch; absent while it is pending. */
  readonly settledAt?: number;
  /** In the order in which they were started. */
  readonly children: readonly TreeNode[];
  /** It has an id of its own: others may have started it, or wait for it too. */
  readonly shared?: true;
  /** On the top node: there is more, but it was not read. */
  readonly truncated?: true;
}

/** What reading a tree takes. */
export interface TreeSource {
  get(id: string): Promise<PromiseRecord>;
  search(
    search: PromiseSearch,
  ): Promise<{ readonly promises: readonly PromiseRecord[]; readonly cursor?: string }>;
  decode(value: Value): unknown;
}

/** Reads the tree under `id`. @throws what `source` throws; 404 when there is no such promise. */
export async function readTree(id: string, source: TreeSource): Promise<TreeNode> {
  const top = await source.get(id);
  const found = await collect(top, source);
  const node = await new TreeBuilder(found.promises, source).build(top);
  return found.complete ? node : { ...node, truncated: true };
}

interface Found {
  readonly promises: ReadonlyMap<string, PromiseRecord>;
  readonly complete: boolean;
}

async function collect(top: PromiseRecord, source: TreeSource): Promise<Found> {
  const promises = new Map([[top.id, top]]);
  const seen = new Set<string>();
  let origins = [originOfRecord(top)];
  while (origins.length > 0 && promises.size <= PROMISES_MAX) {
    for (const origin of origins) seen.add(origin);
    const members = await searchEach(TAG.origin, origins, source);
    for (const member of members) promises.set(member.id, member);
    const callers = members.filter(mayStart).map(({ id }) => id);
    const joined = await searchEach(TAG.caller, callers.slice(0, PROMISES_MAX), source);
    for (const child of joined) promises.set(child.id, child);
    origins = [...new Set(joined.map(originOfRecord))].filter((origin) => !seen.has(origin));
  }
  return { promises, complete: promises.size <= PROMISES_MAX };
}

/** The promises whose tag `name` is one of `values`. */
async function searchEach(
  name: string,
  values: readonly string[],
  source: TreeSource,
): Promise<readonly PromiseRecord[]> {
  const found: PromiseRecord[] = [];
  for (let at = 0; at < values.length && found.length <= PROMISES_MAX; at += PAGE) {
    const some = values.slice(at, at + PAGE).map((value) => searchAll({ [name]: value }, source));
    found.push(...(await Promise.all(some)).flat());
  }
  return found;
}

async function searchAll(tags: Readonly<Record<string, string>>, source: TreeSource) {
  const found: PromiseRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await source.search({ tags, limit: PAGE, cursor });
    found.push(...page.promises);
    cursor = page.cursor;
  } while (cursor !== undefined && found.length <= PROMISES_MAX);
  return found;
}

/** Timers and promises that are settled from outside start nothing. */
function mayStart({ tags }: PromiseRecord): boolean {
  return !isTimer(tags) && (tags[TAG.scope] === "local" || tags[TAG.target] !== undefined);
}

function originOfRecord({ id, tags }: PromiseRecord): string {
  return tags[TAG.origin] ?? originOf(id);
}

class TreeBuilder {
  readonly #children: ReadonlyMap<string, readonly PromiseRecord[]>;
  readonly #source: TreeSource;

  constructor(promises: ReadonlyMap<string, PromiseRecord>, source: TreeSource) {
    this.#source = source;
    this.#children = childrenOf(promises);
  }

  /** Not recursive: a tree may be deeper than the stack. Ids that call each other in a circle are cut. */
  async build(top: PromiseRecord): Promise<TreeNode> {
    const { node, children } = await this.#node(top);
    const open = [{ id: top.id, children }];
    const placed = new Set([top.id]);
    for (let next = open.pop(); next; next = open.pop()) {
      for (const child of this.#children.get(next.id) ?? []) {
        if (placed.has(child.id)) continue;
        placed.add(child.id);
        const made = await this.#node(child);
        next.children.push(made.node);
        open.push({ id: child.id, children: made.children });
      }
    }
    return node;
  }

  async #node(record: PromiseRecord): Promise<{ node: TreeNode; children: TreeNode[] }> {
    const { id, state, createdAt, settledAt } = record;
    const func = await this.#functionOf(record);
    const children: TreeNode[] = [];
    const node: TreeNode = {
      id,
      state,
      kind: kindOf(record),
      ...(func === undefined ? {} : { func }),
      createdAt,
      ...(settledAt === undefined ? {} : { settledAt }),
      children,
      ...(isShared(record) ? { shared: true } : {}),
    };
    return { node, children };
  }

  /** A param that cannot be read (encrypted, or of another program) hides only the name. */
  async #functionOf({ param }: PromiseRecord): Promise<string | undefined> {
    try {
      const decoded = await this.#source.decode(param);
      if (typeof decoded !== "object" || decoded === null || !("func" in decoded)) return undefined;
      return typeof decoded.func === "string" ? decoded.func : undefined;
    } catch {
      return undefined;
    }
  }
}

function childrenOf(promises: ReadonlyMap<string, PromiseRecord>) {
  const children = new Map<string, PromiseRecord[]>();
  for (const record of promises.values()) {
    const parent = parentOf(record, promises);
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings) siblings.push(record);
    else children.set(parent, [record]);
  }
  for (const siblings of children.values()) siblings.sort(byStart);
  return children;
}

/** The promise it hangs under: who called it, else its parent, else (if that is not there) its origin. */
function parentOf(
  record: PromiseRecord,
  promises: ReadonlyMap<string, PromiseRecord>,
): string | undefined {
  const { id, tags } = record;
  const candidates = [tags[TAG.caller], tags[TAG.parent], originOfRecord(record)];
  return candidates.find((one) => one !== undefined && one !== id && promises.has(one));
}

function kindOf(record: PromiseRecord): TreeNode["kind"] {
  const { id, tags } = record;
  if (isTimer(tags)) return "sleep";
  if (tags[TAG.scope] === "local") return "run";
  if (originOfRecord(record) === id && tags[TAG.caller] === undefined) return "root";
  return tags[TAG.target] === undefined ? "promise" : "rpc";
}

/** Whether its id was given to it, by a call. */
function isShared(record: PromiseRecord): boolean {
  return record.tags[TAG.caller] !== undefined && originOfRecord(record) === record.id;
}

const byPlace = new Intl.Collator("en", { numeric: true });

/** In one batch many promises get the same instant: their ids then tell the order. */
function byStart(a: PromiseRecord, b: PromiseRecord): number {
  return a.createdAt - b.createdAt || byPlace.compare(a.id, b.id);
}
