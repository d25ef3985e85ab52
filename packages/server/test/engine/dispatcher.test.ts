import type { Message } from "@resonate-ts/protocol";
import { expect, test } from "vitest";
import { Dispatcher, OFFERS_MAX } from "../../src/engine/dispatcher.ts";
import type { Connection } from "../../src/engine/engine.ts";

function connection(group: string): Connection & { readonly messages: Message[] } {
  const messages: Message[] = [];
  const send = (message: Message) => messages.push(message) > 0;
  return { group, id: "w", graceMs: 0, messages, send, closed: () => undefined };
}

test("a group's offers that nobody takes, however many, keep no other group from its own", () => {
  const dispatcher = new Dispatcher({ serverUrl: undefined, now: () => 0 });
  for (let at = 0; at <= OFFERS_MAX; at++) {
    dispatcher.offer({ id: `t${at}`, version: 0 }, "poll://any@absent");
  }
  const worker = connection("present");
  dispatcher.open(worker);

  dispatcher.offer({ id: "mine", version: 3 }, "poll://any@present");

  expect(worker.messages).toEqual([
    { kind: "execute", head: {}, data: { task: { id: "mine", version: 3 } } },
  ]);
});
