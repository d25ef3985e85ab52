/** What happens to a run, as plain lines: one for each promise that begins, is taken, is halted or ends. */
import type { ExecutionNode } from "@resonate-ts/protocol";
import { formatDuration } from "./duration.ts";
import { labelOf } from "./label.ts";
import type { RunNodes } from "./run-nodes.ts";
import { lightOf, stateInWords } from "./state.ts";

/** Tells each thing once. */
export class RunLines {
  readonly #run: RunNodes;
  readonly #told = new Map<string, string>();

  constructor(run: RunNodes) {
    this.#run = run;
  }

  /** Those of `nodes` of which there is something to tell that was not told before. */
  fresh(nodes: readonly ExecutionNode[]): readonly ExecutionNode[] {
    return nodes.filter((node) => {
      const news = newsOf(node);
      if (news === this.#told.get(node.id)) return false;
      // What waits for its children does nothing that is worth a line.
      const quiet = node.task?.state === "suspended" && node.state === "pending";
      const known = this.#told.has(node.id);
      this.#told.set(node.id, news);
      return !(quiet && known);
    });
  }

  /** As lines, by the time of what they tell. `now` is the server's. */
  linesOf(nodes: readonly ExecutionNode[], now: number): readonly string[] {
    const inOrder = nodes.toSorted((one, other) => instantOf(one, now) - instantOf(other, now));
    return inOrder.map((node) => this.#lineOf(node, now));
  }

  /** The line about a promise, with the time since the one that is followed began. */
  #lineOf(node: ExecutionNode, now: number): string {
    const began = this.#run.get(this.#run.top)?.createdAt ?? node.createdAt;
    const words = [
      `+${formatDuration(Math.max(0, instantOf(node, now) - began))}`,
      node.id,
      lightOf(node.state),
      labelOf(node),
      newsInWords(node),
      node.shared ? "(shared)" : "",
    ];
    return words.filter((word) => word !== "").join(" ");
  }
}

/** When a task was taken is not on record. */
function instantOf({ settledAt, task, createdAt }: ExecutionNode, now: number): number {
  return settledAt ?? (task ? now : createdAt);
}

/** Differs when there is something to tell. */
function newsOf({ state, task }: ExecutionNode): string {
  return state === "pending" ? `${task?.state ?? ""} ${task?.pid ?? ""}` : state;
}

function newsInWords({ state, createdAt, settledAt = createdAt, task }: ExecutionNode): string {
  if (state !== "pending") {
    return `${stateInWords(state)} after ${formatDuration(Math.max(0, settledAt - createdAt))}`;
  }
  if (task?.state === "acquired") return `taken by ${task.pid ?? "a worker"}`;
  if (task?.state === "halted") return "halted";
  if (task?.state === "suspended") return "waits for what it called";
  return task ? "waits for a worker" : "begun";
}
