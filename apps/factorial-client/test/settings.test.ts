import { expect, test } from "vitest";
import { N_MAX, readSettings, SPLIT_N_MAX } from "../src/settings.ts";

test.each(["0", "20", String(N_MAX)])("%s is a number it asks for", (word) => {
  expect(readSettings([word], {})).toEqual({
    kind: "run",
    settings: { n: Number(word), split: false, server: "http://localhost:8001", json: false },
  });
});

test.each([
  [["-1"]],
  [["1.5"]],
  [["abc"]],
  [[]],
  [["1e9"]],
  [[""]],
  [["0x10"]],
  [[String(N_MAX + 1)]],
  [[String(SPLIT_N_MAX + 1), "--split"]],
  [["-1", "--split"]],
  [["--split"]],
  [["1", "2"]],
  [["5", "--verbose"]],
])("%j is answered with one line of help", (words) => {
  const line = expect.stringMatching(
    /^factorial-client: [^\n]*a whole number from 0 to 5000[^\n]*$/,
  );
  expect(readSettings(words, {})).toEqual({ kind: "wrong", line });
});

test("the server is where the flag says, else where the variable says", () => {
  const env = { RESONATE_URL: "http://one:1" };
  expect(readSettings(["3"], env)).toMatchObject({ settings: { server: "http://one:1" } });
  const flag = ["3", "--server", "http://two:2"];
  expect(readSettings(flag, env)).toMatchObject({ settings: { server: "http://two:2" } });
});

test("split, more is asked for; 0! is the chain's, for there is no empty range", () => {
  const words = [String(SPLIT_N_MAX), "--split"];
  expect(readSettings(words, {})).toMatchObject({ settings: { n: SPLIT_N_MAX, split: true } });
  expect(readSettings(["0", "--split"], {})).toMatchObject({ settings: { n: 0, split: false } });
});
