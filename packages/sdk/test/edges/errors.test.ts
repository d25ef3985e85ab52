import { expect, test } from "vitest";
import {
  AwaitCycleError,
  isResonateError,
  LeaseLostError,
  NonDeterminismError,
  PromiseCanceledError,
  PromiseTimedoutError,
  ResonateError,
  ServerRefusedError,
  ServerUnreachableError,
} from "../../src/errors.ts";

const errors = [
  new PromiseCanceledError({ promiseId: "order-1" }),
  new PromiseTimedoutError({ promiseId: "order-1", timeoutAt: 0 }),
  new NonDeterminismError({ promiseId: "order-1", recorded: "rpc to 'a'", asked: "a sleep" }),
  new ServerUnreachableError({ url: "http://order-1", cause: new Error("refused") }),
  new ServerRefusedError({ status: 422, requestKind: "order-1", message: "no" }),
  new AwaitCycleError({
    promiseId: "order-1",
    cycle: ["order-1"],
    message: "order-1 awaits itself",
  }),
  new LeaseLostError({ promiseId: "order-1" }),
];

test.each(errors.map((error) => [error.name, error] as const))(
  "%s names what it is about",
  (name, error) => {
    expect(error.message).toContain("order-1");
    expect(error.constructor.name).toBe(name);
    expect(isResonateError(error, error.code)).toBe(true);
    expect(isResonateError(error, "ANOTHER")).toBe(false);
  },
);

test("no two classes share a code", () => {
  expect(new Set(errors.map(({ code }) => code)).size).toBe(errors.length);
});

test("an error of another copy of the package is recognised", () => {
  const foreign = Object.assign(Object.create({ [Symbol.for("resonate.error")]: true }), {
    code: "PANIC",
  });

  expect(isResonateError(foreign, "PANIC")).toBe(true);
});

test.each([null, undefined, "PANIC", { code: "PANIC" }, new Error("PANIC")])(
  "%s is not an error of ours",
  (value) => {
    expect(isResonateError(value)).toBe(false);
  },
);

test("a name and a mark are not among the fields of an error, so they are not stored", () => {
  expect(Object.keys(new ResonateError("PANIC", "m"))).toEqual(["code"]);
});

test("a deadline that no date can name is shown as a number", () => {
  const { message } = new PromiseTimedoutError({ promiseId: "a", timeoutAt: 9e15 });

  expect(message).toContain("9000000000000000");
});

test("an unreachable server is explained by a code where the cause has no message", () => {
  const cause = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" });

  expect(new ServerUnreachableError({ url: "u", cause }).message).toContain("ECONNREFUSED");
});
