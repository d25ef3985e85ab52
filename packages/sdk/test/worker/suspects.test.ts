/** What may have taken processes down is run on trial, apart from the rest; what this process has outlived is not. */
import type { ClaimedTask, Message } from "@resonate-ts/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Context } from "../../src/index.ts";
import { makeRequest } from "../../src/network/envelope.ts";
import { gate, openWorld, type World } from "../core/world.ts";

let world: World;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  world = await openWorld();
});
afterEach(() => vi.useRealTimers());

/** Puts a call on record that nobody serves, and claims it for `p` after `failures` claims that were lost. */
async function claimFor(id: string, failures: number): Promise<ClaimedTask> {
  const { resonate } = world.client({ group: "callers" });
  await resonate.beginRpc(id, "fn", resonate.options({ target: "nobody" }));
  const data = { id, version: 0, pid: "p", ttl: 60_000 };
  const [answer] = await world.engine.process([makeRequest("task.acquire", data)]);
  const claimed = (answer as { data: ClaimedTask }).data;
  return { ...claimed, task: { ...claimed.task, failures } };
}

const given = (data: ClaimedTask): Message => ({ kind: "execute", head: {}, data });

/** A worker whose functions run until they are let go, and what has been entered. */
function worker() {
  const entered: string[] = [];
  const exits = new Map<string, () => void>();
  const fn = ({ id }: Context) => {
    entered.push(id);
    const { promise, resolve } = gate();
    exits.set(id, resolve);
    return promise;
  };
  const { network, resonate } = world.client({ pid: "p", register: { fn } });
  const released = (id: string) =>
    network.answered(({ request: { kind, data } }) => {
      return kind === "task.release" && "id" in data && data.id === id;
    });
  return { network, resonate, entered, released, exit: (id: string) => exits.get(id)?.() };
}

test("a suspect waits for a moment; another one is given back before it runs, and comes when it is through", async () => {
  const { network, entered, released, exit, resonate } = worker();
  const [one, two] = [await claimFor("one", 3), await claimFor("two", 3)];
  const back = released("two");

  network.deliver(given(one));
  network.deliver(given(two));

  expect((await back).request.head).not.toHaveProperty("resonate:cause");
  await vi.advanceTimersByTimeAsync(249);
  expect(entered).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(entered).toEqual(["one"]);

  network.deliver({ kind: "execute", head: {}, data: { task: { id: "two", version: 1 } } });
  expect(network.summary("task.acquire")).toEqual([]);
  const claimed = network.answered(({ request }) => request.kind === "task.acquire");
  exit("one");
  await (await resonate.get("one")).result();
  await claimed;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(entered).toEqual(["one", "two"]);
});

test("a trial that takes long keeps others for ten seconds only", async () => {
  const { network, entered, released } = worker();
  network.deliver(given(await claimFor("one", 3)));
  const back = released("two");
  network.deliver(given(await claimFor("two", 3)));
  await back;
  network.deliver({ kind: "execute", head: {}, data: { task: { id: "two", version: 1 } } });
  const claimed = network.answered(({ request }) => request.kind === "task.acquire");

  await vi.advanceTimersByTimeAsync(10_249);
  expect(network.summary("task.acquire")).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  await claimed;
  await vi.advanceTimersByTimeAsync(1_000);

  expect(entered).toEqual(["one", "two"]);
});

test("what was lost less often is not kept apart", async () => {
  const { network, entered } = worker();
  network.deliver(given(await claimFor("suspect", 3)));

  network.deliver(given(await claimFor("other", 2)));
  await vi.advanceTimersByTimeAsync(0);

  expect(entered).toEqual(["other"]);
});

test("claims lost by this process, which lives, do not halt the work: its network did that", async () => {
  const { network, entered } = worker();
  const { task, ...rest } = await claimFor("w", 0);

  for (let lost = 0; lost <= 7; lost++) {
    const again = { ...task, version: task.version + lost, failures: lost };
    network.deliver(given({ ...rest, task: again }));
    await vi.advanceTimersByTimeAsync(0);
    expect(entered.length).toBe(lost + 1);
  }

  expect(network.summary("task.halt")).toEqual([]);
});
