/**
 * Which questions one batch asks the database. Each is a journey, one after the other, in the one lane that writes: there
 * are as many of them for a thousand steps as for two. What is read for many steps together is what each would have read.
 */
import { PROTOCOL_VERSION, type RequestHead, TAG, type Tags } from "@resonate-ts/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Step } from "../../src/core/step.ts";
import { type Claims, type Executed, execute } from "../../src/engine/execute.ts";
import { ReplyBudget } from "../../src/engine/reply-budget.ts";
import { MemoryStore } from "../../src/stores/memory/memory-store.ts";
import type { PostgresStore } from "../../src/stores/postgres/postgres-store.ts";
import type { Store } from "../../src/stores/store.ts";
import { emptyPostgres, promise } from "../support/every-store.ts";
import { noteQuestions } from "../support/questions.ts";

const AT = 1_000_000;
const COUNT = 1_000;
const timeoutAt = 2 ** 50;
const head: RequestHead = { corrId: "c", version: PROTOCOL_VERSION };
const delta: RequestHead = { ...head, "resonate:preload": "delta" };
const claim = { pid: "p", ttl: 60_000 };
const workflows = Array.from({ length: COUNT }, (_, i) => `w-${i}`);
const last = `w-${COUNT - 1}`;

let store: PostgresStore;
beforeEach(async () => {
  store = await emptyPostgres();
});
afterEach(() => store.close());

function perform(steps: readonly Step[], on: Store = store, claims?: Claims): Promise<Executed> {
  return execute(on, steps, AT, { retryTimeoutMs: 30_000 }, claims);
}

function each(stepOf: (id: string) => Step): readonly Step[] {
  return workflows.map((id) => stepOf(id));
}

/** Takes a step for each workflow, one batch for each kind of step. */
async function given(...stepsOf: readonly ((id: string) => Step)[]): Promise<void> {
  for (const stepOf of stepsOf) {
    const { answers } = await perform(each(stepOf));
    for (const answer of answers) expect(answer).toMatchObject({ head: { status: 200 } });
  }
}

async function noted(steps: readonly Step[], claims?: Claims) {
  const questions = noteQuestions();
  try {
    return { ...(await perform(steps, store, claims)), asked: questions.asked };
  } finally {
    questions.stop();
  }
}

const of = (branch: string): Tags => ({ [TAG.origin]: branch, [TAG.branch]: branch });
const workflow = (id: string) => {
  const tags = { ...of(id), [TAG.target]: "poll://any@g" };
  return { kind: "promise.create", head, data: { id, timeoutAt, param: {}, tags } } as const;
};
const start = (id: string): Step => ({
  kind: "task.create",
  head,
  data: { ...claim, action: workflow(id) },
});
const call = (id: string): Step => start(`${id}.child`);
const recordStep = (id: string, place: number | string = 0, data = ""): Step => ({
  kind: "promise.create",
  head,
  data: { id: `${id}:${place}`, timeoutAt, param: { data }, tags: of(id) },
});
const acquire = (id: string): Step => ({
  kind: "task.acquire",
  head,
  data: { id, version: 0, ...claim },
});
const fence = (id: string): Step => ({
  kind: "task.fence",
  head,
  data: {
    id,
    version: 1,
    action: {
      kind: "promise.create",
      head,
      data: { id: `${id}:fenced`, timeoutAt, param: {}, tags: of(id) },
    },
  },
});
const suspend = (id: string): Step => ({
  kind: "task.suspend",
  head: delta,
  data: {
    id,
    version: 1,
    actions: [
      { kind: "promise.register_callback", head, data: { awaited: `${id}.child`, awaiter: id } },
    ],
  },
});
const listen = (id: string): Step => ({
  kind: "promise.register_listener",
  head,
  data: { awaited: `${id}.child`, address: "poll://uni@g/p" },
});
const fulfill = (id: string): Step => ({
  kind: "task.fulfill",
  head,
  data: {
    id,
    version: 1,
    action: { kind: "promise.settle", head, data: { id, state: "resolved", value: {} } },
  },
});
const endChild = (id: string): Step => fulfill(`${id}.child`);

/** Gives all that is offered to one worker that has it in memory. */
const toOneWorker: Claims = {
  begin() {},
  claimantOf: () => ({ ...claim, group: "g", warm: true }),
};

test("1,000 workflows that start, each of them claimed by who starts it", async () => {
  const { answers, asked } = await noted(each(start));

  expect(answers.at(-1)).toMatchObject({ head: { status: 200 }, data: { preload: [] } });
  expect(asked).toEqual([
    "BEGIN",
    "lock promises",
    "branches",
    "write",
    "others in branches",
    "commit",
  ]);
});

test("1,000 claims with their preloads", async () => {
  await given(workflow, recordStep);

  const { answers, asked } = await noted(each(acquire));

  expect(answers.at(-1)).toMatchObject({ data: { preload: [{ id: `${last}:0` }] } });
  expect(asked).toEqual(["BEGIN", "lock promises", "branches", "write", "commit"]);
});

test("1,000 steps under a claim, whose answers show what there is of their workflow", async () => {
  await given(start, recordStep);

  const { answers, asked } = await noted(each(fence));

  expect(answers.at(-1)).toMatchObject({
    data: { preload: [{ id: `${last}:0` }, { id: `${last}:fenced` }] },
  });
  expect(asked).toEqual(["BEGIN", "lock promises", "branches", "write", "commit"]);
});

test("1,000 tasks that go on because what they await has settled", async () => {
  await given(start, call, endChild);

  const { answers, asked } = await noted(each(suspend));

  expect(answers.at(-1)).toMatchObject({
    head: { status: 300 },
    data: { preload: [{ id: `${last}.child` }] },
  });
  expect(asked).toEqual(["BEGIN", "lock promises", "resumed each", "write", "commit"]);
});

test("1,000 children that end, with who listens, and their callers that are claimed again", async () => {
  await given(start, call, suspend, listen);

  const { assignments, messages, asked } = await noted(each(endChild), toOneWorker);

  expect(messages.filter(({ kind }) => kind === "unblock")).toHaveLength(COUNT);
  expect(assignments).toHaveLength(COUNT);
  expect(assignments.at(-1)?.claimed).toMatchObject({
    task: { id: last, version: 2 },
    preload: [{ id: `${last}.child` }],
  });
  expect(asked).toEqual([
    "BEGIN",
    "lock promises",
    "obligations",
    "lock promises",
    "resumed each",
    "write",
    "commit",
  ]);
});

test("one promise that 1,000 tasks await", async () => {
  await given(start);
  const tags = { ...of("all"), [TAG.scope]: "global" };
  const data = { id: "all", timeoutAt, param: {}, tags };
  await perform([{ kind: "promise.create", head, data }]);
  await given((id) => ({
    kind: "task.suspend",
    head: delta,
    data: {
      id,
      version: 1,
      actions: [{ kind: "promise.register_callback", head, data: { awaited: "all", awaiter: id } }],
    },
  }));

  const { messages, asked } = await noted([
    { kind: "promise.settle", head, data: { id: "all", state: "resolved", value: {} } },
  ]);

  expect(messages.filter(({ kind }) => kind === "execute")).toHaveLength(COUNT);
  expect(asked).toEqual([
    "BEGIN",
    "lock promises",
    "obligations",
    "lock promises",
    "write",
    "commit",
  ]);
});

test("1,000 schedules that fire", async () => {
  const schedule = (id: string): Step => ({
    kind: "schedule.create",
    head,
    data: {
      id,
      cron: "* * * * *",
      promiseId: `${id}.{{.timestamp}}`,
      promiseTimeout: 1_000,
      promiseParam: {},
      promiseTags: {},
    },
  });
  await given(schedule);
  const { steps } = await store.due(AT + 60_000, COUNT);

  const questions = noteQuestions();
  const { changes } = await execute(store, steps, AT + 60_000, { retryTimeoutMs: 30_000 });
  questions.stop();

  expect(changes.filter((change) => "put" in change && change.put === "promise")).toHaveLength(
    COUNT,
  );
  expect(questions.asked).toEqual(["BEGIN", "lock schedules", "lock promises", "write", "commit"]);
});

test.each([1_000, 20_000, 200_000, 8_000_000])(
  "within %s bytes of answers, claims of small and large workflows show what they do in memory",
  async (bytesMax) => {
    const memory = new MemoryStore();
    // Nothing, a little, more than is read ahead of promises, and more than is read ahead of bytes.
    const steps = [0, 1, 3, 99, 100, 101, 150, 2].flatMap((count, at) => [
      workflow(`w-${at}`),
      ...Array.from({ length: count }, (_, i) => recordStep(`w-${at}`, i, "x".repeat(i * 7))),
    ]);
    const large = Array.from({ length: 5 }, (_, i) => recordStep("w-8", i, "x".repeat(2_000_000)));
    steps.push(workflow("w-8"), ...large, workflow("w-9"), recordStep("w-9"));
    const claims = Array.from({ length: 10 }, (_, at) => acquire(`w-${at}`));
    // One that the batch itself changes before the claim, and after it.
    claims.splice(2, 0, recordStep("w-2", "before"));
    claims.push(recordStep("w-2", "after"));

    const shown = [];
    for (const one of [store, memory]) {
      await perform(steps, one);
      const budget = new ReplyBudget(bytesMax);
      const { answers } = await perform(
        claims.map((step) => ({ ...step, budget })),
        one,
      );
      shown.push(answers);
    }

    expect(shown[0]).toEqual(shown[1]);
  },
);

test("what is much is left to be read by itself", async () => {
  await perform([
    ...Array.from({ length: 101 }, (_, i) => recordStep("many", i)),
    ...Array.from({ length: 99 }, (_, i) => recordStep("few", i)),
    recordStep("large", 0, "x".repeat(60_000)),
    recordStep("larger", 0, "x".repeat(60_000)),
    ...["many", "few", "large", "larger"].map(workflow),
  ]);

  const branches = ["none", "large", "many", "few", "larger"];
  const read = await store.transaction(
    async (tx) => tx.ahead?.({ branches, awaiters: [] }, 100_000),
    AT,
  );

  expect([...(read?.branches ?? [])].map(([branch, { length }]) => [branch, length])).toEqual([
    ["none", 0],
    ["large", 2],
    ["few", 100],
  ]);
});

test("a promise that was deleted in the batch is shown by no claim after it", async () => {
  const ended = { state: "resolved", settledAt: 1 } as const;
  const tags = { [TAG.origin]: "old", [TAG.branch]: "w-0" };
  for (const one of [store, new MemoryStore()]) {
    await one.transaction(async (tx) => {
      await tx.load({ promises: ["old"] });
      await tx.write([{ put: "promise", record: promise("old", { ...ended, tags }) }]);
    }, AT);
    await perform([workflow("w-0")], one);

    const { answers } = await perform(
      [{ kind: "tree.retire", data: { origin: "old", before: 2 } }, acquire("w-0")],
      one,
    );

    expect(answers[1]).toMatchObject({ head: { status: 200 }, data: { preload: [] } });
  }
});

test("a claim shows what came before it in the batch, also where that has been written meanwhile", async () => {
  const awaiting = (id: string): Step => ({
    kind: "promise.register_callback",
    head,
    data: { awaited: `${id}.child`, awaiter: id },
  });
  const search: Step = { kind: "promise.search", head, data: { tags: {}, limit: 9 } };
  for (const one of [store, new MemoryStore()]) {
    await perform(["w-0", "w-1"].map(workflow), one);
    await perform([...["w-0", "w-1"].map(call), ...["w-0", "w-1"].map(awaiting)], one);

    const { answers } = await perform(
      [
        ...["w-0", "w-1"].flatMap((id) => [endChild(id), recordStep(id)]),
        search,
        { ...acquire("w-0"), head: delta },
        acquire("w-1"),
      ],
      one,
    );

    expect(answers.slice(-2)).toMatchObject([
      { data: { preload: [{ id: "w-0.child" }] } },
      { data: { preload: [{ id: "w-1:0" }] } },
    ]);
  }
});
