import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const HEAP = fileURLToPath(new URL("../src/heap.ts", import.meta.url));
const MB = 1_048_576;

/** Makes garbage that lives a little, as requests that wait for a commit do, in 2,000 turns; then 64 MB that stay. */
const PROGRAM = `
  import { getHeapSpaceStatistics } from "node:v8";
  import { setImmediate as turn } from "node:timers/promises";
  const { keepHeapSmall } = await import(${JSON.stringify(HEAP)});
  if (process.argv[1] === "small") keepHeapSmall();
  const young = () => getHeapSpaceStatistics().find((space) => space.space_name === "new_space").space_size;
  let most = 0;
  const waiting = [];
  for (let at = 0; at < 2_000; at++) {
    waiting[at % 50] = Array.from({ length: 2_000 }, (_, n) => ({ at, n }));
    most = Math.max(most, young());
    await turn();
  }
  const kept = Array.from({ length: 64 }, (_, at) => new Array(131_072).fill(at));
  console.log(most, kept.length);
`;

test("a small heap has a young generation of some MB, and no limit to what is kept", () => {
  const [most, kept] = young("small");

  expect(most).toBeLessThanOrEqual(32 * MB);
  expect(kept).toBe(64);
});

test("without it the same program lets the young generation grow further", () => {
  expect(young("")[0]).toBeGreaterThan(32 * MB);
});

function young(how: string): readonly number[] {
  const words = ["--input-type=module", "-e", PROGRAM, how];
  const { stdout } = spawnSync(process.execPath, words, { encoding: "utf8", timeout: 60_000 });
  return stdout.trim().split(" ").map(Number);
}
