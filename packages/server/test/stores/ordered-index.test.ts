import { expect, test } from "vitest";
import { byBytes, OrderedIndex } from "../../src/stores/memory/ordered-index.ts";
import { Random } from "../differential/random.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));

test(`holds what a sorted set holds, after any changes (SEED=${seed})`, () => {
  const random = new Random(seed);
  const index = new OrderedIndex<number>((one, other) => one - other);
  const model = new Set<number>();
  const keysMax = 5_000;
  for (let change = 0; change < 40_000; change++) {
    const key = random.below(keysMax);
    // It grows to several chunks, and shrinks to few keys.
    const grows = random.chance(change < 20_000 ? 0.8 : 0.1);
    if (grows) {
      index.add(key);
      model.add(key);
    } else {
      index.delete(key);
      model.delete(key);
    }
    if (change % 2_000 !== 0) continue;
    const sorted = [...model].sort((one, other) => one - other);
    const after = random.below(keysMax);
    expect([...index.after()]).toEqual(sorted);
    expect([...index.after(after)]).toEqual(sorted.filter((one) => one > after));
  }
});

test("texts are in the order of their bytes", () => {
  const texts = ["", "a", "a\u0000", "aa", "b", "é", "\ue000", "\uffff", "😀", "a😀", "a\uffff"];
  const expected = texts.toSorted((one, other) =>
    Buffer.compare(Buffer.from(one), Buffer.from(other)),
  );

  expect(texts.toSorted(byBytes)).toEqual(expected);
});
