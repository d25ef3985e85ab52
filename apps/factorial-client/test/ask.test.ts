import { ServerRefusedError } from "@resonate-ts/sdk";
import { type Lab, openLab } from "@resonate-ts/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Answer, ask, type Question } from "../src/ask.ts";

let lab: Lab;
let asked: string[];

/** A server, and a worker in place of the real ones, in this process. */
beforeEach(async () => {
  asked = [];
  lab = await openLab({
    group: "factorial-workers",
    restartable: true,
    register: {
      factorial: (_, n: number) => computed(`factorial ${n}`, BigInt(n) * 100n),
      product: (_, { from, to }: { from: number; to: number }) =>
        computed(`product ${from} to ${to}`, BigInt(from * 10 + to)),
    },
  });
});
afterEach(() => lab.close());

function computed(name: string, value: bigint): bigint {
  asked.push(name);
  return value;
}

function answerTo(question: Question): Promise<Answer> {
  return lab.until(ask(lab.client, question));
}

test("the first answer is computed, the second comes from the cache", async () => {
  const question = { n: 7, split: false };
  expect(await answerTo(question)).toMatchObject({ value: 700n, cached: false });
  expect(await answerTo(question)).toMatchObject({ value: 700n, cached: true });

  expect(asked).toEqual(["factorial 7"]);
});

test("an answer is still there after the server and the worker were killed", async () => {
  const question = { n: 7, split: false };
  await answerTo(question);
  lab.workers[0]?.crash();
  await lab.server.stop();
  await lab.server.start();

  expect(await answerTo(question)).toMatchObject({ value: 700n, cached: true });
  expect(asked).toEqual(["factorial 7"]);
});

test("a question is on record before anybody can answer it", async () => {
  const [worker] = lab.workers;
  worker?.crash();
  const answer = ask(lab.client, { n: 7, split: false });
  await lab.created("factorial-7");
  expect(asked).toEqual([]);

  worker?.start();
  expect(await lab.until(answer)).toMatchObject({ value: 700n, cached: false });
});

test("split, it asks for the product of a range, which has an answer of its own", async () => {
  expect(await answerTo({ n: 7, split: true })).toMatchObject({ value: 17n, cached: false });
  expect(await answerTo({ n: 7, split: true })).toMatchObject({ value: 17n, cached: true });
  expect(await answerTo({ n: 7, split: false })).toMatchObject({ value: 700n, cached: false });
  expect(asked).toEqual(["product 1 to 7", "factorial 7"]);
});

test("a refusal is not taken for an answer that is not there yet", async () => {
  const requestKind = "promise.get";
  lab.client.promises.get = () =>
    Promise.reject(new ServerRefusedError({ status: 401, requestKind, message: "who are you?" }));

  await expect(answerTo({ n: 7, split: false })).rejects.toThrow("who are you?");
});
