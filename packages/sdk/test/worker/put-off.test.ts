import type { PromiseRecord } from "@resonate-ts/protocol";
import { expect, test } from "vitest";
import type { Given } from "../../src/worker/claims.ts";
import { PutOff } from "../../src/worker/put-off.ts";

const offer = (version: number) => ({ id: "w", version });

function given(version: number): Given {
  // Nothing looks at it here.
  const promise = {} as PromiseRecord;
  return { task: { id: "w", version }, promise, preload: [], delta: false };
}

test.each([
  ["an offer, then the claim on it", offer(1), given(2), given(2)],
  ["a claim, then a late offer from before it", given(2), offer(1), given(2)],
  ["a claim, then the offer after it", given(2), offer(2), offer(2)],
  ["a claim, then a newer one", given(2), given(3), given(3)],
  ["a claim, then an older one", given(3), given(2), given(3)],
])("of %s the newest is kept", (_what, first, second, kept) => {
  const again = new PutOff();
  again.put(first);
  again.put(second);

  expect(again.get("w")).toEqual(kept);
});

test("what is forgotten gives back its claims", () => {
  const again = new PutOff();
  again.put(given(2));
  again.put({ id: "v", version: 1 });

  expect(again.clear()).toEqual([{ id: "w", version: 2 }]);
  expect(again.get("w")).toBeUndefined();
});
