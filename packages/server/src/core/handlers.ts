/** One handler per kind of step; a kind without its handler does not compile. */
import { breakCycle } from "./cycle/break.ts";
import { announcePromise } from "./promise/announce.ts";
import { createPromise } from "./promise/create.ts";
import { getPromise } from "./promise/get.ts";
import { notifiedListener, notifyListener } from "./promise/notify.ts";
import { registerCallback } from "./promise/register-callback.ts";
import { registerListener } from "./promise/register-listener.ts";
import { searchPromises } from "./promise/search.ts";
import { settlePromise } from "./promise/settle.ts";
import { timeoutPromise } from "./promise/timeout.ts";
import { createSchedule } from "./schedule/create.ts";
import { deleteSchedule } from "./schedule/delete.ts";
import { fireSchedule, spawnScheduled } from "./schedule/fire.ts";
import { getSchedule } from "./schedule/get.ts";
import { searchSchedules } from "./schedule/search.ts";
import type { Handler, StepKind } from "./step.ts";
import { acquireTask } from "./task/acquire.ts";
import { continueTask } from "./task/continue.ts";
import { createTask } from "./task/create.ts";
import { expireTask } from "./task/expire.ts";
import { fenceTask } from "./task/fence.ts";
import { fulfillTask } from "./task/fulfill.ts";
import { getTask } from "./task/get.ts";
import { haltTask } from "./task/halt.ts";
import { heartbeatTasks } from "./task/heartbeat.ts";
import { offerTask } from "./task/offer.ts";
import { releaseTask } from "./task/release.ts";
import { resumeTask } from "./task/resume.ts";
import { searchTasks } from "./task/search.ts";
import { suspendTask } from "./task/suspend.ts";
import { retireTree } from "./tree/retire.ts";

const handlers: { readonly [K in StepKind]: Handler<K> } = {
  "promise.get": getPromise,
  "promise.create": createPromise,
  "promise.settle": settlePromise,
  "promise.register_callback": registerCallback,
  "promise.register_listener": registerListener,
  "promise.search": searchPromises,
  "promise.timeout": timeoutPromise,
  "promise.announce": announcePromise,
  "promise.notify": notifyListener,
  "promise.notified": notifiedListener,
  "task.get": getTask,
  "task.create": createTask,
  "task.acquire": acquireTask,
  "task.fence": fenceTask,
  "task.heartbeat": heartbeatTasks,
  "task.suspend": suspendTask,
  "task.fulfill": fulfillTask,
  "task.release": releaseTask,
  "task.halt": haltTask,
  "task.continue": continueTask,
  "task.search": searchTasks,
  "task.resume": resumeTask,
  "task.offer": offerTask,
  "task.expire": expireTask,
  "schedule.create": createSchedule,
  "schedule.get": getSchedule,
  "schedule.delete": deleteSchedule,
  "schedule.search": searchSchedules,
  "schedule.fire": fireSchedule,
  "schedule.spawn": spawnScheduled,
  "tree.retire": retireTree,
  "cycle.break": breakCycle,
};

export function handlerFor<K extends StepKind>(kind: K): Handler<K> {
  return handlers[kind];
}
