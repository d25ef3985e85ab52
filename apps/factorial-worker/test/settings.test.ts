import { expect, test } from "vitest";
import { readSettings } from "../src/settings.ts";

test("without flags and variables the defaults are those the help names", () => {
  expect(readSettings([], {})).toEqual({
    kind: "run",
    settings: {
      server: "http://localhost:8001",
      name: `worker-${process.pid}`,
      pauseMs: 0,
      json: false,
    },
  });
});

test("a flag wins over its variable", () => {
  const env = {
    RESONATE_URL: "http://one:1",
    FACTORIAL_WORKER_NAME: "one",
    FACTORIAL_PAUSE_MS: "1",
  };
  expect(readSettings([], env)).toEqual({
    kind: "run",
    settings: { server: "http://one:1", name: "one", pauseMs: 1, json: false },
  });
  const flags = ["--server", "https://two:2", "--name", "two", "--pause-ms", "2", "--json"];
  expect(readSettings(flags, env)).toEqual({
    kind: "run",
    settings: { server: "https://two:2", name: "two", pauseMs: 2, json: true },
  });
});

test("an empty variable counts as absent", () => {
  const asked = readSettings([], { RESONATE_URL: "" });
  expect(asked).toMatchObject({ settings: { server: "http://localhost:8001" } });
});

test.each([
  [["--colour"], "--colour"],
  [["extra"], "extra"],
  [["--name", "a b"], "--name"],
  [["--name"], "--name"],
  [["--pause-ms", "-1"], "--pause-ms"],
  [["--pause-ms", "1.5"], "--pause-ms"],
  [["--server", "nowhere"], "--server"],
  [["--server", "ftp://localhost"], "--server"],
])("%j is answered with one line that names it", (words, named) => {
  const asked = readSettings(words, {});
  expect(asked).toEqual({ kind: "wrong", line: expect.stringContaining(named) });
  expect(asked).toEqual({ kind: "wrong", line: expect.not.stringContaining("\n") });
});
