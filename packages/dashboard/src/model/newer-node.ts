/** Which of two views of one promise is the later one. Answers and events may overtake each other. */
import type { ExecutionNode } from "@resonate-ts/protocol";

type Task = NonNullable<ExecutionNode["task"]>;

/** What a task goes through between two claims; a task that is retried goes from halted to pending. */
const ORDER: Readonly<Record<Task["state"], number>> = {
  acquired: 0,
  suspended: 1,
  pending: 2,
  halted: 2,
  fulfilled: 3,
};

/**
 * `next`, unless `known` is certainly later. Whoever was seen at the task last stays on it, since a task that nobody
 * holds names nobody.
 */
export function newerNode(known: ExecutionNode | undefined, next: ExecutionNode): ExecutionNode {
  if (!known) return next;
  return isEarlier(next, known) ? known : withWorker(next, known.task?.pid);
}

function isEarlier(next: ExecutionNode, known: ExecutionNode): boolean {
  if (known.state !== "pending" || next.state !== "pending") {
    return known.state !== "pending" && next.state === "pending";
  }
  if (!known.task || !next.task) return known.task !== undefined;
  if (next.task.version !== known.task.version) return next.task.version < known.task.version;
  return ORDER[next.task.state] < ORDER[known.task.state];
}

function withWorker(node: ExecutionNode, pid: string | undefined): ExecutionNode {
  if (!node.task || node.task.pid !== undefined || pid === undefined) return node;
  return { ...node, task: { ...node.task, pid } };
}
