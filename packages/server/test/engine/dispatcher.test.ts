import type { Message } from "@resonate-ts/protocol";
import { expect, test } from "vitest";
import { ANSWER_TIMEOUT_MS, Dispatcher, OFFERS_MAX } from "../../src/engine/dispatcher.ts";
import type { Connection } from "../../src/engine/engine.ts";
import { WINDOW } from "../../src/engine/offers.ts";

function connection(group: string): Connection & { readonly messages: Message[] } {
  const messages: Message[] = [];
  const send = (message: Message) => messages.push(message) > 0;
  return { group, id: "w", graceMs: 0, messages, send, closed: () => undefined };
}

const ports = {
  serverUrl: undefined,
  claim: () => undefined,
  takeBack: () => undefined,
  refill: () => undefined,
};
const promise = { param: {}, createdAt: 0, timeoutAt: 600_000 };
const anyOf = (group: string) => ({ kind: "poll", cast: "any", group }) as const;

test("a group's offers that nobody takes, however many, keep no other group from its own", () => {
  const dispatcher = new Dispatcher({ ...ports, now: () => 0 });
  for (let at = 0; at <= OFFERS_MAX; at++) {
    dispatcher.offer({ id: `t${at}`, version: 0, promise }, anyOf("absent"));
  }
  const worker = connection("present");
  dispatcher.open(worker);

  dispatcher.offer({ id: "mine", version: 3, promise }, anyOf("present"));

  expect(worker.messages).toEqual([
    { kind: "execute", head: {}, data: { task: { id: "mine", version: 3 } } },
  ]);
});

/** A worker that is offered more than its window, leaves all of it unanswered, and is swept `sweeps` times. */
function neglect(sweeps: number) {
  let now = 0;
  const dispatcher = new Dispatcher({ ...ports, now: () => now });
  const worker = connection("g");
  dispatcher.open(worker);
  for (let at = 0; at < 3 * WINDOW; at++) {
    dispatcher.offer({ id: `t${at}`, version: 0, promise }, anyOf("g"));
  }
  for (let sweep = 0; sweep < sweeps; sweep++) {
    now += ANSWER_TIMEOUT_MS;
    dispatcher.sweep();
  }
  return { dispatcher, worker };
}

function offered({ messages }: { readonly messages: readonly Message[] }): string[] {
  return messages.flatMap((message) => (message.kind === "execute" ? message.data.task.id : []));
}

test("a connection has no more than its window of unanswered offers", () => {
  const { dispatcher, worker } = neglect(0);
  expect(offered(worker)).toHaveLength(WINDOW);

  dispatcher.seen({ id: "t0", state: "acquired", version: 1, resumes: 0 });

  expect(offered(worker).slice(WINDOW)).toEqual([`t${WINDOW}`]);
});

test("what a worker leaves unanswered keeps nothing new from it, and is offered again in turn", () => {
  const { dispatcher, worker } = neglect(6);

  dispatcher.offer({ id: "new", version: 0, promise }, anyOf("g"));

  expect(offered(worker).at(-1)).toBe("new");
  expect(new Set(offered(worker)).size).toBe(3 * WINDOW + 1);
  expect(offered(worker).filter((id) => id === "t0").length).toBeGreaterThan(1);
});

test("what a worker leaves unanswered goes to another that connects", () => {
  const { dispatcher } = neglect(6);
  const other = { ...connection("g"), id: "other" };

  dispatcher.open(other);

  expect(offered(other).length).toBeGreaterThan(0);
});

test("what could not be remembered is asked for once, when there is room again", () => {
  let refills = 0;
  const refill = () => {
    refills++;
  };
  const dispatcher = new Dispatcher({ ...ports, refill, now: () => 0 });
  for (let at = 0; at <= OFFERS_MAX; at++) {
    dispatcher.offer({ id: `t${at}`, version: 0, promise }, anyOf("absent"));
  }
  dispatcher.sweep();
  expect(refills).toBe(0);
  for (let at = 0; at < OFFERS_MAX / 2; at++) {
    dispatcher.seen({ id: `t${at}`, state: "acquired", version: 1, resumes: 0 });
  }

  dispatcher.sweep();
  dispatcher.sweep();

  expect(refills).toBe(1);
});
