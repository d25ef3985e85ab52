/**
 * Bugs, written by hand: each is one place in the sources, and what a mistake would have made of it. The tests that
 * a mutant is shown to must go red.
 */

export interface Mutant {
  /** What is wrong, in words. */
  readonly name: string;
  /** The file, from the root of the repository. */
  readonly file: string;
  /** What is there: once. */
  readonly find: string;
  readonly replace: string;
  /** The question (`C1` to `C12`) whose guard this takes away: that test must go red by itself. */
  readonly question?: `C${number}`;
  /** Tests of what the protocol says nothing of; the differential run knows it not. */
  readonly tests?: string;
}

const CORE = "packages/server/src/core";
const ENGINE = "packages/server/src/engine";
const STORES = "packages/server/src/stores";
const TAGS = "packages/protocol/src/tags.ts";
const CYCLES = "packages/server/test/engine/await-cycles.test.ts";
const LIMITS = "packages/server/test/http/record-limits.test.ts";
const VIEW = "const view = viewTask(id, world);";
/** The stored task where the projected one belongs. */
const UNPROJECTED =
  "const task_ = world.task(id); const promise_ = world.promise(id); const view = task_ && promise_ && { task: task_, promise: promise_ };";
const NOT_HELD = "if (!holds({ id, version }, view)) return notHeld(id, version);";

export const mutants: readonly Mutant[] = [
  // The guards of the specification's questions.
  {
    name: "a global promise's deadline is not acted on",
    question: "C1",
    file: TAGS,
    find: 'tags[TAG.scope] === "global" ||',
    replace: "",
  },
  {
    name: "an internal promise's deadline is acted on",
    question: "C1",
    file: `${CORE}/birth.ts`,
    find: "isExternal(given.tags) ? { ...promise, dueAt: given.timeoutAt } : promise",
    replace: "{ ...promise, dueAt: given.timeoutAt }",
  },
  {
    name: "a callback is registered on an internal promise",
    question: "C2",
    file: `${CORE}/promise/register-callback.ts`,
    find: "if (!isExternal(promise.tags)) return notAwaitable(awaited);",
    replace: "",
  },
  {
    name: "a task suspends on an internal promise",
    question: "C2",
    file: `${CORE}/task/suspend.ts`,
    find: "if (!isExternal(awaited.tags)) return notAwaitable(awaited.id);",
    replace: "",
  },
  {
    name: "a listener is registered on an internal promise",
    question: "C3",
    file: `${CORE}/promise/register-listener.ts`,
    find: "if (!isExternal(promise.tags)) return notAwaitable(awaited);",
    replace: "",
  },
  {
    name: "task.create claims a task whose deadline has passed",
    question: "C4",
    file: `${CORE}/task/create.ts`,
    find: VIEW,
    replace: UNPROJECTED,
  },
  {
    name: "a task is halted past its deadline",
    question: "C4",
    file: `${CORE}/task/halt.ts`,
    find: VIEW,
    replace: UNPROJECTED,
  },
  {
    name: "a task is continued past its deadline",
    question: "C4",
    file: `${CORE}/task/continue.ts`,
    find: VIEW,
    replace: UNPROJECTED,
  },
  {
    name: "the end of a lease offers a task whose deadline has passed",
    question: "C5",
    file: `${CORE}/task/expire.ts`,
    find: VIEW,
    replace: UNPROJECTED,
  },
  {
    name: "a retry offers a task whose deadline has passed",
    question: "C5",
    file: `${CORE}/task/offer.ts`,
    find: VIEW,
    replace: UNPROJECTED,
  },
  {
    name: "an awaiter is woken past its own deadline",
    question: "C6",
    file: `${CORE}/task/resume.ts`,
    find: "const view = viewTask(callback.awaiter, world);",
    replace: `const id = callback.awaiter; ${UNPROJECTED}`,
  },
  {
    name: "a heartbeat renews a lease past the deadline",
    question: "C7",
    file: `${CORE}/task/heartbeat.ts`,
    find: "const view = viewTask(claim.id, world);",
    replace: `const id = claim.id; ${UNPROJECTED}`,
  },
  {
    name: "answers show what is stored",
    question: "C8",
    file: `${CORE}/view.ts`,
    find: "return stored && project(stored, world.at);",
    replace: "return stored;",
  },
  {
    name: "a search shows states as they are stored",
    question: "C8",
    file: `${ENGINE}/execute.ts`,
    find: "return found.records.map((promise) => this.#shown(promise));",
    replace: "return found.records.map(publicPromise);",
  },
  {
    name: "a version is offered that was never issued",
    question: "C9",
    file: `${CORE}/offer.ts`,
    find: "task: { id: task.id, version: task.version }",
    replace: "task: { id: task.id, version: task.version + 1 }",
  },
  {
    name: "a claim may name any version",
    question: "C10",
    file: `${CORE}/task/acquire.ts`,
    find: 'if (view.task.version !== version) return refuse(409, "Version mismatch");',
    replace: "",
  },
  {
    name: "whoever once held a task holds it still",
    question: "C10",
    file: `${CORE}/view.ts`,
    find: " && task.version === claim.version",
    replace: "",
  },
  {
    name: "a settled promise takes a callback",
    question: "C11",
    file: `${CORE}/promise/register-callback.ts`,
    find: 'if (promise.state !== "pending" || waiting.state !== "pending") return { reply };',
    replace: "",
  },
  {
    name: "a settled promise takes a listener",
    question: "C11",
    file: `${CORE}/promise/register-listener.ts`,
    find: 'if (promise.state !== "pending") return { reply };',
    replace: "",
  },
  {
    name: "debug operations are open to everybody",
    question: "C12",
    file: "packages/server/src/http/api.ts",
    find: `  if (!identity) return answered(401, "Unauthorized");
  if (!permits(identity.scope, envelope)) return answered(403, "Forbidden");`,
    replace: `  if (!kind.startsWith("debug.")) {
    if (!identity) return answered(401, "Unauthorized");
    if (!permits(identity.scope, envelope)) return answered(403, "Forbidden");
  }`,
  },

  // What the differential run must find.
  {
    name: "a fence does not look at the claim",
    file: `${CORE}/task/fence.ts`,
    find: NOT_HELD,
    replace: "",
  },
  {
    name: "a suspend does not look at the claim",
    file: `${CORE}/task/suspend.ts`,
    find: NOT_HELD,
    replace: "",
  },
  {
    name: "the last one to settle wins",
    file: `${CORE}/promise/settle.ts`,
    find: 'if (current.state !== "pending") return { reply: ok({ promise: publicPromise(current) }) };',
    replace: "",
  },
  {
    name: "one awaiter is forgotten",
    file: `${CORE}/settlement.ts`,
    find: "for (const awaiter of callbacks) steps.push",
    replace: "for (const awaiter of [...callbacks].slice(1)) steps.push",
  },
  {
    name: "one listener is forgotten",
    file: `${CORE}/settlement.ts`,
    find: "for (const address of listeners)",
    replace: "for (const address of [...listeners].slice(1))",
  },
  {
    name: "a settlement leaves the task alone",
    file: `${CORE}/settlement.ts`,
    find: "record: fulfilled(task) }",
    replace: "record: task }",
  },
  {
    name: "a deadline comes a millisecond early",
    file: `${CORE}/project.ts`,
    find: "at < promise.timeoutAt",
    replace: "at < promise.timeoutAt - 1",
  },
  {
    name: "a deadline comes a millisecond late",
    file: `${CORE}/project.ts`,
    find: "at < promise.timeoutAt",
    replace: "at <= promise.timeoutAt",
  },
  {
    name: "a deadline is stamped with the time it was noticed",
    file: `${CORE}/project.ts`,
    find: "state: deadlineState(promise), settledAt: promise.timeoutAt",
    replace: "state: deadlineState(promise), settledAt: at",
  },
  {
    name: "a claim does not raise the version",
    file: `${CORE}/task/claim.ts`,
    find: "version: task.version + 1",
    replace: "version: task.version",
  },
  {
    name: "a claim keeps the resumes",
    file: `${CORE}/task/claim.ts`,
    find: "resumes: 0",
    replace: "resumes: task.resumes",
  },
  {
    name: "a claim keeps what it was resumed by",
    file: `${CORE}/task/claim.ts`,
    find: '{ delete: "resumes", awaiter: task.id },',
    replace: "",
  },
  {
    name: "a heartbeat does not renew the lease",
    file: `${CORE}/task/heartbeat.ts`,
    find: "dueAt: leaseEnd(world.at, view.task.ttl ?? 0)",
    replace: "dueAt: view.task.dueAt ?? 0",
  },
  {
    name: "a heartbeat renews another process's lease",
    file: `${CORE}/task/heartbeat.ts`,
    find: " || view.task.pid !== pid",
    replace: "",
  },
  {
    name: "a retry is not armed again",
    file: `${CORE}/offer.ts`,
    find: "dueAt: world.at + world.settings.retryTimeoutMs",
    replace: "dueAt: world.at + 1e9",
  },
  {
    name: "a released task keeps its holder",
    file: `${CORE}/offer.ts`,
    find: "const { ttl: _, pid: __, ...kept } = task;",
    replace: "const kept = task;",
  },
  {
    name: "the task of a timer is offered",
    file: `${CORE}/offer.ts`,
    find: "address === undefined || isTimer(promise.tags)",
    replace: "address === undefined",
  },
  {
    name: "a delay is not honoured",
    file: `${CORE}/offer.ts`,
    find: "return delay !== undefined && delay > world.at\n",
    replace: "return delay !== undefined && delay < 0\n",
  },
  {
    name: "a halt forgets the resumes",
    file: `${CORE}/task/halt.ts`,
    find: "const { state, version, resumes } = view.task;",
    replace: "const { state, version } = view.task; const resumes = 0;",
  },
  {
    name: "a suspend registers the first callback only",
    file: `${CORE}/task/suspend.ts`,
    find: "...actions.map(({ data }) => ({ put",
    replace: "...actions.slice(0, 1).map(({ data }) => ({ put",
  },
  {
    name: "a suspend that goes on keeps the resumes",
    file: `${CORE}/task/suspend.ts`,
    find: "...(task.resumes > 0 ?",
    replace: "...(task.resumes > 1e9 ?",
  },
  {
    name: "a resume is counted and its callback kept",
    file: `${CORE}/task/resume.ts`,
    find: "changes: [crossedOff, ...changes]",
    replace: "changes",
  },
  {
    name: "a lineage is checked off by one",
    file: TAGS,
    find: "id[ancestor.length]",
    replace: "id[ancestor.length + 1]",
  },
  {
    name: "a step reads what was before the one before it",
    file: `${ENGINE}/session.ts`,
    find: "this.#tasks.set(change.record.id, change.record);",
    replace: "",
  },
  {
    name: "an offer that no longer holds is sent",
    file: `${ENGINE}/execute.ts`,
    find: 'return offers.get(id) === message && task?.state === "pending" && task.version === version;',
    replace: "return true;",
  },
  {
    name: "the delta leaves one out",
    file: `${ENGINE}/execute.ts`,
    find: "[...named, ...resumed, ...branch]",
    replace: "[...named, ...resumed.slice(1), ...branch]",
  },
  {
    name: "a preload shows states as they are stored",
    file: `${ENGINE}/execute.ts`,
    find: "return publicPromise(project(promise, this.#session.at));",
    replace: "return publicPromise(promise);",
  },
  {
    name: "a search filters by states as they are stored",
    file: `${STORES}/search.ts`,
    find: "project(promise, at).state === state",
    replace: "promise.state === state",
  },
  {
    name: "a page ends one record early",
    file: `${STORES}/search.ts`,
    find: "last = id;",
    replace: 'last = id + "~";',
  },
  {
    name: "a schedule skips what was missed",
    file: `${CORE}/schedule/fire.ts`,
    find: "nextOccurrence(schedule.cron, occurrence)",
    replace: "nextOccurrence(schedule.cron, world.at)",
  },
  {
    name: "an occurrence is born when it is noticed",
    file: `${CORE}/schedule/fire.ts`,
    find: "birth(promise, world, { createdAt: occurrence })",
    replace: "birth(promise, world)",
  },
  {
    name: "a notice is not sent again",
    file: `${CORE}/promise/notify.ts`,
    find: "if (notifyAt > world.at) return {};",
    replace: "if (listener.notifyAt !== undefined) return {};",
  },
  {
    name: "a release with a cause is not counted",
    file: `${CORE}/task/release.ts`,
    find: "cause === undefined ? view.task : withFailure(view.task, cause)",
    replace: "view.task",
  },
  {
    name: "a lease that ran out is not counted",
    file: `${CORE}/task/expire.ts`,
    find: "untouched ? view.task : withFailure(view.task)",
    replace: "view.task",
  },
  {
    name: "a claim that records something is not forgiven those before it",
    file: `${CORE}/task/fence.ts`,
    find: "...progress(view.task, effects)",
    replace: "",
  },
  {
    name: "a fence creates what comes next whatever is on record",
    file: `${CORE}/task/fence.ts`,
    find: "then && isOnRecord(action, first.reply)",
    replace: "then",
  },
  {
    name: "a task that is continued is not forgiven",
    file: `${CORE}/task/continue.ts`,
    find: "offer(withoutFailures(view.task)",
    replace: "offer(view.task",
  },
  {
    name: "the cause of a halt is forgotten",
    file: `${CORE}/task/halt.ts`,
    find: "...(cause !== undefined && { cause })",
    replace: "",
  },
  {
    name: "a deadlock is looked for where one awaited task is suspended",
    file: `${CORE}/task/suspend.ts`,
    find: "actions.every(",
    replace: "actions.some(",
  },
  {
    name: "the holder is not told that its promise was settled",
    file: `${CORE}/settlement.ts`,
    find: 'by === "holder" ? [] : revocation(promise, task)',
    replace: "[]",
  },

  // What the protocol says nothing of.
  {
    name: "a deadlock is broken although one of its tasks awaits something else",
    tests: CYCLES,
    file: `${CORE}/cycle/break.ts`,
    find: "awaited.every((one) => members.has(one))",
    replace: "awaited.length > 0",
  },
  {
    name: "a deadlock is broken although one of its tasks goes on",
    tests: CYCLES,
    file: `${CORE}/cycle/break.ts`,
    find: 'if (viewTask(id, world)?.task.state !== "suspended") return false;',
    replace: "",
  },
  {
    name: "the oldest of those that wait for each other is rejected",
    tests: CYCLES,
    file: `${ENGINE}/await-cycles.ts`,
    find: "one.bornAt > other.bornAt ||",
    replace: "one.bornAt < other.bornAt ||",
  },
  {
    name: "a suspend on suspended tasks is not looked at",
    tests: CYCLES,
    file: `${CORE}/task/suspend.ts`,
    find: "messages: tangled ?",
    replace: "messages: !tangled ?",
  },
  {
    name: "lower limits keep what is there from being read",
    tests: LIMITS,
    file: "packages/protocol/src/request-schemas.ts",
    find: "idBytes: Math.max(limits.idBytes, DEFAULT_LIMITS.idBytes),",
    replace: "idBytes: limits.idBytes,",
  },
];
