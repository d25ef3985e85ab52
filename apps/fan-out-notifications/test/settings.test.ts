import { expect, test } from "vitest";
import { readSettings } from "../src/settings.ts";

test("without flags it notifies about a new order, and keeps everything in the app's folder", () => {
  expect(readSettings([], {})).toEqual({
    kind: "run",
    settings: {
      order: expect.stringMatching(/^[0-9a-f]{8}$/),
      style: "generator",
      crash: false,
      data: expect.stringMatching(/fan-out-notifications[/\\]\.resonate$/),
    },
  });
});

test("a flag wins over its variable", () => {
  const env = { RESONATE_URL: "http://one:1", NOTIFICATIONS_DATA: "one" };
  expect(readSettings([], env)).toMatchObject({
    settings: { server: "http://one:1", data: "one" },
  });
  expect(readSettings(["--server", "http://two:2", "--data", "two"], env)).toMatchObject({
    settings: { server: "http://two:2", data: "two" },
  });
});

test.each([
  [["--order", "a:b"], "--order"],
  [["--order", ""], "--order"],
  [["--style", "callbacks"], "--style"],
  [["--server", "nowhere"], "--server"],
  [["--data", ""], "--data"],
  [["--unknown"], "--unknown"],
  [["--order", "-1"], "--order"],
])("%j is answered with one line that names it", (words, named) => {
  const asked = readSettings(words, {});
  expect(asked).toEqual({ kind: "wrong", line: expect.stringContaining(named) });
  expect(asked).toEqual({ kind: "wrong", line: expect.not.stringContaining("\n") });
});
