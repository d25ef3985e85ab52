import { EXTENSIONS } from "@resonate-ts/server";
import { describe, expect, test } from "vitest";
import { EmbeddedNetwork } from "../../src/network/embedded.ts";
import { HttpNetwork } from "../../src/network/http.ts";
import { type ResonateOptions, readSettings } from "../../src/settings.ts";

const server = "http://127.0.0.1:1";

test.each([
  ["nothing", {}, {}, EmbeddedNetwork],
  ["a path", { path: "a.db" }, {}, EmbeddedNetwork],
  ["a url", { url: server }, {}, HttpNetwork],
  ["RESONATE_URL", {}, { RESONATE_URL: server }, HttpNetwork],
  ["an empty RESONATE_URL", {}, { RESONATE_URL: "" }, EmbeddedNetwork],
  ["a path and RESONATE_URL", { path: "a.db" }, { RESONATE_URL: server }, EmbeddedNetwork],
] as const)("%s decides where the records are", (_name, options, env, network) => {
  expect(readSettings(options, env).network).toBeInstanceOf(network);
});

describe("calls that name no target go", () => {
  test("to the group named default where there is a server", () => {
    expect(readSettings({ url: server, group: "g" }, {}).defaultTarget).toBe("default");
  });

  test("to the own group where there is none", () => {
    expect(readSettings({ group: "g" }, {}).defaultTarget).toBe("g");
  });

  test("where the option says", () => {
    expect(readSettings({ group: "g", defaultTarget: "t" }, {}).defaultTarget).toBe("t");
  });
});

test("the defaults are those that are documented", () => {
  const { pid, ttlMs, maxConcurrentTasks, warmExecutionsMax, network } = readSettings({}, {});

  expect(pid).toMatch(/^[0-9a-f]{32}$/);
  expect([ttlMs, maxConcurrentTasks, warmExecutionsMax]).toEqual([60_000, 1_000, 1_000]);
  expect(network.anycast).toBe(`poll://any@default/${pid}`);
});

const wrong: readonly (readonly [ResonateOptions, RegExp])[] = [
  [{ ttl: 0 }, /'ttl' must be a whole number of at least 1, got 0/],
  [{ maxConcurrentTasks: 0 }, /'maxConcurrentTasks'/],
  [{ warmExecutionsMax: -1 }, /'warmExecutionsMax'/],
  [{ pid: "" }, /'pid' must be a non-empty string/],
  [{ group: "" }, /'group' must be a non-empty string/],
  [{ path: "" }, /'path' must be a non-empty string/],
  [{ url: server, path: "a.db" }, /Give one of 'url', 'path' and 'network'/],
  [{ url: server, timeout: 0.5 }, /'timeout' must be a whole number/],
];

test.each(wrong)("%j is refused by name", (options, message) => {
  expect(() => readSettings(options, {})).toThrow(message);
});

test("a RESONATE_EXTENSIONS that is neither on nor off is refused by name", () => {
  expect(() => readSettings({}, { RESONATE_EXTENSIONS: "no" })).toThrow(
    /'RESONATE_EXTENSIONS' must be 'on' or 'off', got no/,
  );
});

test.each([
  ["off", {}, 0],
  ["off", { extensions: true }, EXTENSIONS.length],
  ["on", { extensions: false }, 0],
  ["", {}, EXTENSIONS.length],
])("RESONATE_EXTENSIONS=%s with %j leaves so many of them: %d", async (given, options, count) => {
  const { network } = readSettings(options, { RESONATE_EXTENSIONS: given });
  await network.init();
  await network.stop();

  expect(network.extensions.size).toBe(count);
});

test("a RESONATE_TIMEOUT that is no number is refused by name", () => {
  const env = { RESONATE_URL: server, RESONATE_TIMEOUT: "soon" };

  expect(() => readSettings({}, env)).toThrow(/'RESONATE_TIMEOUT' must be a whole number/);
});
