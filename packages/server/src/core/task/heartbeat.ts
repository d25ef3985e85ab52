import type { Change } from "../records.ts";
import { ok } from "../replies.ts";
import type { Handler } from "../step.ts";
import { holds, viewTask } from "../view.ts";
import { leaseEnd } from "./claim.ts";

/** task.heartbeat: renews the lease of every claim that is still valid, and says nothing of the others. */
export const heartbeatTasks: Handler<"task.heartbeat"> = {
  keys: ({ tasks }) => ({ promises: tasks.map(({ id }) => id) }),

  apply({ pid, tasks }, world) {
    const changes = tasks.flatMap((claim): Change[] => {
      const view = viewTask(claim.id, world);
      if (!view || !holds(claim, view) || view.task.pid !== pid) return [];
      return [
        { put: "task", record: { ...view.task, dueAt: leaseEnd(world.at, view.task.ttl ?? 0) } },
      ];
    });
    return { reply: ok(), changes };
  },
};
