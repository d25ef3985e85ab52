/** What is known of a run that is followed: its promises, who calls whom, and who ran what. */
import type { ExecutionNode } from "@resonate-ts/protocol";
import type { Seen } from "./follow.ts";

export class RunNodes {
  /** The promise that is looked at, with all below it. */
  readonly top: string;
  readonly #nodes = new Map<string, ExecutionNode>();
  /** Ids by parent, in the order in which they were seen first. */
  readonly #children = new Map<string, string[]>();
  /** The worker that was last seen to hold each task: a record forgets it. */
  readonly #workers = new Map<string, string>();
  /** The top, and all below it. */
  readonly #below = new Set<string>();
  /** The server's clock less ours, in ms. */
  #ahead = 0;
  truncated = false;

  constructor(top: string) {
    this.top = top;
  }

  /** Takes in what was seen at `now`, and returns the promises below the top that it was about. */
  take(seen: Seen, now: number): readonly ExecutionNode[] {
    if (seen.kind === "lost") return [];
    if (seen.kind === "run") {
      this.#ahead = seen.run.at - now;
      this.truncated = seen.run.truncated === true;
    }
    const nodes = seen.kind === "run" ? seen.run.nodes : seen.nodes;
    for (const node of nodes) this.#put(node);
    return nodes.filter(({ id }) => this.#below.has(id));
  }

  get(id: string): ExecutionNode | undefined {
    return this.#nodes.get(id);
  }

  childrenOf(id: string): readonly ExecutionNode[] {
    const ids = (this.#children.get(id) ?? []).filter((child) => child !== this.top);
    return ids.flatMap((child) => this.#nodes.get(child) ?? []);
  }

  /** The worker that has or had it: for a step, its caller's. */
  workerOf(id: string): string | undefined {
    let node = this.#nodes.get(id);
    // A run step's caller may be a step too.
    for (let up = 0; node && up < this.#nodes.size; up += 1) {
      const worker = this.#workers.get(node.id);
      if (worker !== undefined || node.kind !== "run") return worker;
      node = node.parent === undefined ? undefined : this.#nodes.get(node.parent);
    }
    return undefined;
  }

  /** The server's clock at `now` of ours. */
  serverTime(now: number): number {
    return now + this.#ahead;
  }

  /** The top and all below it. */
  *all(): Generator<ExecutionNode, void> {
    for (const id of this.#below) {
      const node = this.#nodes.get(id);
      if (node) yield node;
    }
  }

  /** Whether what is looked at has ended. */
  get over(): boolean {
    const top = this.#nodes.get(this.top);
    return top !== undefined && top.state !== "pending";
  }

  #put(node: ExecutionNode): void {
    const { id, parent, task } = node;
    if (!this.#nodes.has(id) && parent !== undefined) {
      const siblings = this.#children.get(parent);
      if (siblings) siblings.push(id);
      else this.#children.set(parent, [id]);
    }
    this.#nodes.set(id, node);
    if (task?.pid !== undefined) this.#workers.set(id, task.pid);
    if (id === this.top || (parent !== undefined && this.#below.has(parent))) this.#include(id);
  }

  /** Children may have been seen before their parents. */
  #include(id: string): void {
    const fresh = [id];
    for (let one = fresh.pop(); one !== undefined; one = fresh.pop()) {
      if (this.#below.has(one)) continue;
      this.#below.add(one);
      fresh.push(...(this.#children.get(one) ?? []));
    }
  }
}
