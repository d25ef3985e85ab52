import { describe, expect, test } from "vitest";
import { readSettings, SETTINGS, SettingsError, unknownVariables } from "../src/settings.ts";

test("flags win over the environment, the environment over defaults, an empty variable is absent", () => {
  const env = {
    RESONATE_SERVER__PORT: "9001",
    RESONATE_TASKS__RETRY_TIMEOUT: "5",
    RESONATE_SERVER__HOST: "",
  };

  const settings = readSettings({ env, flags: { "server.port": "0" } });

  expect(settings["server.port"]).toBe(0);
  expect(settings["tasks.retry_timeout"]).toBe(5);
  expect(settings["server.host"]).toBe("localhost");
});

test("the caller's own defaults give way to the environment", () => {
  const defaults = { "storage.sqlite.path": "dev.db" };
  const env = { RESONATE_STORAGE__SQLITE__PATH: "env.db" };

  expect(readSettings({ defaults })["storage.sqlite.path"]).toBe("dev.db");
  expect(readSettings({ defaults, env })["storage.sqlite.path"]).toBe("env.db");
});

test("the documented names and defaults", () => {
  expect(SETTINGS.map(({ key, env, flag, initial }) => [key, env, flag, initial])).toEqual([
    ["level", "RESONATE_LEVEL", "--level", "info"],
    ["server.host", "RESONATE_SERVER__HOST", "--server-host", "localhost"],
    ["server.port", "RESONATE_SERVER__PORT", "--server-port", 8001],
    ["server.bind", "RESONATE_SERVER__BIND", "--server-bind", "127.0.0.1"],
    [
      "server.shutdown_timeout",
      "RESONATE_SERVER__SHUTDOWN_TIMEOUT",
      "--server-shutdown-timeout",
      10_000,
    ],
    ["server.url", "RESONATE_SERVER__URL", "--server-url", undefined],
    [
      "server.cors.allow_origins",
      "RESONATE_SERVER__CORS__ALLOW_ORIGINS",
      "--server-cors-allow-origin",
      [],
    ],
    ["storage.type", "RESONATE_STORAGE__TYPE", "--storage-type", "sqlite"],
    [
      "storage.sqlite.path",
      "RESONATE_STORAGE__SQLITE__PATH",
      "--storage-sqlite-path",
      "resonate.db",
    ],
    [
      "storage.sqlite.synchronous",
      "RESONATE_STORAGE__SQLITE__SYNCHRONOUS",
      "--storage-sqlite-synchronous",
      "full",
    ],
    ["tasks.retry_timeout", "RESONATE_TASKS__RETRY_TIMEOUT", "--tasks-retry-timeout", 30_000],
    ["retention.age", "RESONATE_RETENTION__AGE", "--retention-age", undefined],
    ["insecure", "RESONATE_INSECURE", "--insecure", false],
  ]);
});

describe("a value that is not allowed names the setting, where it came from and what is allowed", () => {
  test.each([
    ["server.port", "65536", "a port from 0 to 65535"],
    ["server.port", "-1", "a port from 0 to 65535"],
    ["server.port", "", "a port from 0 to 65535"],
    ["server.bind", "example.com", "an IP address"],
    ["server.host", "a/b", "a host name"],
    ["server.url", "ftp://x", "http:// or https://"],
    ["server.cors.allow_origins", "https://a.example/path", "origins such as https://example.com"],
    ["server.shutdown_timeout", "1s", "a whole number of milliseconds"],
    ["storage.type", "postgres", "sqlite, memory"],
    ["storage.sqlite.path", "", "the path of a file"],
    ["storage.sqlite.path", ".", "the path of a file"],
    ["storage.sqlite.path", "data/", "the path of a file"],
    ["storage.sqlite.path", ":memory:", "the path of a file"],
    ["storage.sqlite.synchronous", "off", "full, normal"],
    ["tasks.retry_timeout", "0", "milliseconds above 0"],
    ["level", "trace", "debug, info, warn, error"],
    ["insecure", "yes", "true, false"],
  ] as const)("%s=%s", (key, value, allowed) => {
    const read = () => readSettings({ flags: { [key]: value } });

    expect(read).toThrow(SettingsError);
    expect(read).toThrow(`${key} (--`);
    expect(read).toThrow(allowed);
    expect(read).toThrow(`got '${value}'`);
  });

  test("from the environment", () => {
    expect(() => readSettings({ env: { RESONATE_SERVER__PORT: "x" } })).toThrow(
      "server.port (RESONATE_SERVER__PORT) must be",
    );
  });
});

describe("an address beyond this machine", () => {
  test.each(["0.0.0.0", "::", "192.0.2.1"])("%s is refused unless --insecure", (bind) => {
    const read = (insecure: string) =>
      readSettings({ flags: { "server.bind": bind, insecure } })["server.bind"];

    expect(() => read("false")).toThrow("--insecure");
    expect(read("true")).toBe(bind);
  });

  test.each(["127.0.0.1", "127.1.2.3", "::1", "localhost"])("%s is not one", (bind) => {
    expect(readSettings({ flags: { "server.bind": bind } })["server.bind"]).toBe(bind);
  });
});

test.each(["a.db", "a/b", "../a", "a..", ".resonate/.db"])("'%s' is the path of a file", (path) => {
  expect(readSettings({ flags: { "storage.sqlite.path": path } })["storage.sqlite.path"]).toBe(
    path,
  );
});

test("settings that take one of a few words list them", () => {
  const listed = SETTINGS.flatMap(({ key, choices }) => (choices ? [[key, choices]] : []));

  expect(listed).toEqual([
    ["level", ["debug", "info", "warn", "error"]],
    ["storage.type", ["sqlite", "memory"]],
    ["storage.sqlite.synchronous", ["full", "normal"]],
  ]);
});

test("authentication that would not happen is refused", () => {
  expect(() => readSettings({ env: { RESONATE_AUTH__PUBLICKEY: "key.pem" } })).toThrow(
    "RESONATE_AUTH__PUBLICKEY",
  );
});

test("variables that look like settings and are none are found", () => {
  const env = {
    RESONATE_SERVER__PROT: "1",
    RESONATE_SERVER__PORT: "1",
    RESONATE_URL: "x",
    PATH: "",
  };

  expect(unknownVariables(env)).toEqual(["RESONATE_SERVER__PROT"]);
});
