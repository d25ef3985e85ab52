import * as official from "@resonatehq/sdk";
import { describe, expect, test } from "vitest";
import {
  Constant,
  decodeRetryPolicy,
  Exponential,
  Linear,
  Never,
  type RetryPolicy,
} from "../../src/retry.ts";

const waits = (policy: RetryPolicy) => [1, 2, 3, 4, 5, 6].map((attempt) => policy.next(attempt));

describe("the same numbers as the official SDK", () => {
  test.each([
    ["Constant", new Constant(), new official.Constant()],
    [
      "Constant",
      new Constant({ delay: 5, maxRetries: 2 }),
      new official.Constant({ delay: 5, maxRetries: 2 }),
    ],
    ["Linear", new Linear(), new official.Linear()],
    [
      "Linear",
      new Linear({ delay: 7, maxRetries: 0 }),
      new official.Linear({ delay: 7, maxRetries: 0 }),
    ],
    ["Exponential", new Exponential(), new official.Exponential()],
    [
      "Exponential",
      new Exponential({ delay: 3, factor: 1.5, maxDelay: 9, maxRetries: 4 }),
      new official.Exponential({ delay: 3, factor: 1.5, maxDelay: 9, maxRetries: 4 }),
    ],
    ["Never", new Never(), new official.Never()],
  ])("%s", (_name, ours, theirs) => {
    expect(waits(ours)).toEqual(waits(theirs));
    expect(ours.encode()).toEqual(theirs.encode());
  });
});

test("the default grows from two seconds to thirty", () => {
  expect(waits(new Exponential())).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
});

test("a policy comes back from what it is encoded as", () => {
  const policies = [
    new Constant({ delay: 1 }),
    new Linear({ maxRetries: 3 }),
    new Exponential({ factor: 3 }),
    new Never(),
  ];

  for (const policy of policies) {
    const decoded = decodeRetryPolicy(JSON.parse(JSON.stringify(policy.encode())));
    expect(decoded).toStrictEqual(policy);
  }
});

test.each([
  undefined,
  null,
  "never",
  {},
  { type: "fibonacci", data: {} },
  { type: "constant", data: { delay: -1 } },
  { type: "linear", data: { maxRetries: 1.5 } },
])("%j is no policy", (encoded) => {
  expect(decodeRetryPolicy(encoded)).toBeUndefined();
});

test("what is missing or not a number takes its default", () => {
  expect(decodeRetryPolicy({ type: "constant" })).toStrictEqual(new Constant());
  expect(decodeRetryPolicy({ type: "linear", data: { delay: "2" } })).toStrictEqual(new Linear());
});

test.each([
  [() => new Constant({ delay: -1 }), "delay"],
  [() => new Linear({ delay: Number.NaN }), "delay"],
  [() => new Exponential({ factor: Number.POSITIVE_INFINITY }), "factor"],
  [() => new Exponential({ maxDelay: -5 }), "maxDelay"],
  [() => new Constant({ maxRetries: 1.5 }), "maxRetries"],
])("%s is refused by name", (make, name) => {
  expect(make).toThrow(`'${name}'`);
});

test("endless retries survive JSON, and no delay stays no delay after many attempts", () => {
  const policy = new Exponential({ delay: 0, maxRetries: Number.POSITIVE_INFINITY });

  expect(policy.encode().data.maxRetries).toBe(Number.MAX_SAFE_INTEGER);
  expect(policy.next(100_000)).toBe(0);
});
