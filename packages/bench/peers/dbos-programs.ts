/** The measured programs as workflows of DBOS, and how it is launched. */
import { DBOS } from "@dbos-inc/dbos-sdk";
import { slowly } from "../src/programs.ts";

/** Children go to whoever listens to this queue. */
const QUEUE = "bench";
/** By default both are a second, which would be all that is seen. */
const POLLED_MS = 10;
const POLL = { pollingIntervalMs: POLLED_MS };

const steps = DBOS.registerWorkflow(
  async (count: number): Promise<number> => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const before = sum;
      sum = await DBOS.runStep(async () => before + 1, { name: "add" });
    }
    return sum;
  },
  { name: "steps" },
);

const one = DBOS.registerWorkflow(async (): Promise<number> => 1, { name: "one" });

/** What is done on the side is a step, as DBOS's guides have it. */
const slow = DBOS.registerWorkflow(
  (child: number, log: string): Promise<number> =>
    DBOS.runStep(() => slowly(`${child}`, log), { name: "slowly" }),
  { name: "slow" },
);

const fanOut = DBOS.registerWorkflow(
  async (count: number): Promise<number> => {
    const handles = [];
    for (let i = 0; i < count; i++) {
      handles.push(await DBOS.startWorkflow(one, { queueName: QUEUE })());
    }
    return sumOf(await Promise.all(handles.map((handle) => handle.getResult(POLL))));
  },
  { name: "fanOut" },
);

const slowFanOut = DBOS.registerWorkflow(
  async (count: number, log: string): Promise<number> => {
    const handles = [];
    for (let i = 0; i < count; i++) {
      handles.push(await DBOS.startWorkflow(slow, { queueName: QUEUE })(i, log));
    }
    return sumOf(await Promise.all(handles.map((handle) => handle.getResult(POLL))));
  },
  { name: "slowFanOut" },
);

const localFanOut = DBOS.registerWorkflow(
  async (count: number): Promise<number> => {
    const started = Array.from({ length: count }, () =>
      DBOS.runStep(async () => 1, { name: "one" }),
    );
    return sumOf(await Promise.all(started));
  },
  { name: "localFanOut" },
);

const hops: (depth: number) => Promise<number> = DBOS.registerWorkflow(
  async (depth: number): Promise<number> => {
    if (depth === 0) return 0;
    const below = await DBOS.startWorkflow(hops, { queueName: QUEUE })(depth - 1);
    return ((await below.getResult(POLL)) ?? 0) + 1;
  },
  { name: "hops" },
);

/** Those that are asked for with a count. */
export const workflows = { steps, one, fanOut, localFanOut, hops } satisfies Record<
  string,
  (count: number) => Promise<number>
>;
export { slowFanOut };

/** Launches DBOS in this process: it takes up what this `executor` left, and listens to the queue. */
export async function launch(database: string, executor: string): Promise<void> {
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl: database,
    executorID: executor,
    applicationVersion: "1",
    logLevel: "error",
  });
  await DBOS.launch();
  await DBOS.registerQueue(QUEUE, { minPollingIntervalMs: POLLED_MS });
}

function sumOf(values: readonly (number | null)[]): number {
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}
