import { expect, test } from "vitest";
import { Waits } from "../../src/core/waits.ts";
import { Cell } from "../../src/future.ts";

/** Parked cells `0`, `1`, …, of which those that are awaited are told. */
function parked(waits: Waits, count: number, { awaited }: { awaited: (i: number) => boolean }) {
  return Array.from({ length: count }, (_, i) => {
    const cell = new Cell(String(i));
    waits.track(cell);
    cell.park();
    if (awaited(i)) cell.wait(() => undefined);
    return cell;
  });
}

test("everything is named at the first park, what is awaited last", () => {
  const waits = new Waits();
  parked(waits, 4, { awaited: (i) => i === 1 });

  const named = waits.named({ all: false });

  expect(named.toSorted()).toEqual(["0", "1", "2", "3"]);
  expect(named.at(-1)).toBe("1");
});

test("of what nobody awaits yet a bounded part is named at each park, and what is awaited with it", () => {
  const waits = new Waits();
  parked(waits, 1_000, { awaited: (i) => i === 999 });

  const parks = Array.from({ length: 3 }, () => {
    const named = waits.named({ all: false });
    waits.registered(named);
    return named;
  });

  expect(parks.map((named) => named.includes("999"))).toEqual([true, true, true]);
  expect(parks.every(({ length }) => length <= 1 + 400 + 32)).toBe(true);
  expect(new Set(parks.flat()).size).toBe(1_000);
});

test("all that is awaited is named at once, however much it is", () => {
  const waits = new Waits();
  parked(waits, 1_000, { awaited: () => true });

  expect(waits.named({ all: false }).length).toBe(1_000);
});

test("after that a bounded part is named at each park, another one each time", () => {
  const waits = new Waits();
  parked(waits, 100, { awaited: () => true });
  waits.registered(waits.named({ all: false }));

  const parks = Array.from({ length: 4 }, () => waits.named({ all: false }));

  expect(parks.map(({ length }) => length)).toEqual([32, 32, 32, 32]);
  expect(new Set(parks.flat()).size).toBe(100);
});

test("where the server tells only of what is named, everything is named every time", () => {
  const waits = new Waits();
  parked(waits, 100, { awaited: (i) => i < 50 });
  waits.registered(waits.named({ all: true }));

  expect(waits.named({ all: true }).length).toBe(100);
});

test("what has settled, or nobody has to wait for, is not named", () => {
  const waits = new Waits();
  const [first] = parked(waits, 2, { awaited: () => true });
  const detached = new Cell("detached", { joined: false });
  waits.track(detached);
  detached.park();

  first?.settle({ kind: "resolved", value: 1 });
  expect(waits.named({ all: true })).toEqual(["1"]);
  detached.wait(() => undefined);
  expect(waits.named({ all: true }).toSorted()).toEqual(["1", "detached"]);
});
