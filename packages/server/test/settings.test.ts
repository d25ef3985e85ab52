import { describe, expect, test } from "vitest";
import {
  readSettings,
  SETTINGS,
  SettingsError,
  settingsNotes,
  unknownVariables,
} from "../src/settings.ts";

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
    ["debug", "RESONATE_DEBUG", "--debug", false],
    ["server.host", "RESONATE_SERVER__HOST", "--server-host", "localhost"],
    ["server.port", "RESONATE_SERVER__PORT", "--server-port", 8_001],
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
    ["ui", "RESONATE_UI", "--ui", true],
    ["auth.publickey", "RESONATE_AUTH__PUBLICKEY", "--auth-publickey", undefined],
    ["auth.iss", "RESONATE_AUTH__ISS", "--auth-iss", undefined],
    ["auth.aud", "RESONATE_AUTH__AUD", "--auth-aud", undefined],
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
    [
      "storage.postgres.url",
      "RESONATE_STORAGE__POSTGRES__URL",
      "--storage-postgres-url",
      undefined,
    ],
    [
      "storage.postgres.pool_size",
      "RESONATE_STORAGE__POSTGRES__POOL_SIZE",
      "--storage-postgres-pool-size",
      10,
    ],
    [
      "storage.postgres.pooler",
      "RESONATE_STORAGE__POSTGRES__POOLER",
      "--storage-postgres-pooler",
      false,
    ],
    ["tasks.retry_timeout", "RESONATE_TASKS__RETRY_TIMEOUT", "--tasks-retry-timeout", 30_000],
    ["retention.age", "RESONATE_RETENTION__AGE", "--retention-age", undefined],
    [
      "transports.http_poll.enabled",
      "RESONATE_TRANSPORTS__HTTP_POLL__ENABLED",
      "--transports-http-poll-enabled",
      true,
    ],
    [
      "transports.http_poll.max_connections",
      "RESONATE_TRANSPORTS__HTTP_POLL__MAX_CONNECTIONS",
      "--transports-http-poll-max-connections",
      1_000,
    ],
    [
      "transports.http_push.enabled",
      "RESONATE_TRANSPORTS__HTTP_PUSH__ENABLED",
      "--transports-http-push-enabled",
      true,
    ],
    [
      "transports.http_push.concurrency",
      "RESONATE_TRANSPORTS__HTTP_PUSH__CONCURRENCY",
      "--transports-http-push-concurrency",
      256,
    ],
    [
      "transports.http_push.connect_timeout",
      "RESONATE_TRANSPORTS__HTTP_PUSH__CONNECT_TIMEOUT",
      "--transports-http-push-connect-timeout",
      10_000,
    ],
    [
      "transports.http_push.request_timeout",
      "RESONATE_TRANSPORTS__HTTP_PUSH__REQUEST_TIMEOUT",
      "--transports-http-push-request-timeout",
      180_000,
    ],
    [
      "transports.http_push.allow_targets",
      "RESONATE_TRANSPORTS__HTTP_PUSH__ALLOW_TARGETS",
      "--transports-http-push-allow-targets",
      [],
    ],
    [
      "transports.http_push.auth.mode",
      "RESONATE_TRANSPORTS__HTTP_PUSH__AUTH__MODE",
      "--transports-http-push-auth-mode",
      "none",
    ],
    [
      "transports.http_push.auth.token",
      "RESONATE_TRANSPORTS__HTTP_PUSH__AUTH__TOKEN",
      "--transports-http-push-auth-token",
      undefined,
    ],
    [
      "transports.http_push.auth.header",
      "RESONATE_TRANSPORTS__HTTP_PUSH__AUTH__HEADER",
      "--transports-http-push-auth-header",
      "Authorization",
    ],
    [
      "observability.metrics_port",
      "RESONATE_OBSERVABILITY__METRICS_PORT",
      "--observability-metrics-port",
      undefined,
    ],
    [
      "observability.otlp_endpoint",
      "RESONATE_OBSERVABILITY__OTLP_ENDPOINT",
      "--observability-otlp-endpoint",
      undefined,
    ],
    ["limits.body_bytes", "RESONATE_LIMITS__BODY_BYTES", "--limits-body-bytes", 2_097_152],
    ["limits.reply_bytes", "RESONATE_LIMITS__REPLY_BYTES", "--limits-reply-bytes", 8_388_608],
    [
      "limits.streams_per_prefix",
      "RESONATE_LIMITS__STREAMS_PER_PREFIX",
      "--limits-streams-per-prefix",
      250,
    ],
    ["insecure", "RESONATE_INSECURE", "--insecure", false],
    ["storage.mysql.url", "RESONATE_STORAGE__MYSQL__URL", "--storage-mysql-url", undefined],
    [
      "storage.mysql.pool_size",
      "RESONATE_STORAGE__MYSQL__POOL_SIZE",
      "--storage-mysql-pool-size",
      undefined,
    ],
    ["tasks.lease_timeout", "RESONATE_TASKS__LEASE_TIMEOUT", "--tasks-lease-timeout", undefined],
    [
      "timeouts.poll_interval",
      "RESONATE_TIMEOUTS__POLL_INTERVAL",
      "--timeouts-poll-interval",
      undefined,
    ],
    [
      "messages.poll_interval",
      "RESONATE_MESSAGES__POLL_INTERVAL",
      "--messages-poll-interval",
      undefined,
    ],
    ["messages.batch_size", "RESONATE_MESSAGES__BATCH_SIZE", "--messages-batch-size", undefined],
    [
      "transports.http_poll.buffer_size",
      "RESONATE_TRANSPORTS__HTTP_POLL__BUFFER_SIZE",
      "--transports-http-poll-buffer-size",
      undefined,
    ],
    [
      "transports.http_push.auth.audience",
      "RESONATE_TRANSPORTS__HTTP_PUSH__AUTH__AUDIENCE",
      "--transports-http-push-auth-aud",
      undefined,
    ],
    [
      "transports.gcps.enabled",
      "RESONATE_TRANSPORTS__GCPS__ENABLED",
      "--transports-gcps-enabled",
      false,
    ],
    [
      "transports.gcps.project",
      "RESONATE_TRANSPORTS__GCPS__PROJECT",
      "--transports-gcps-project",
      undefined,
    ],
    [
      "transports.gcps.concurrency",
      "RESONATE_TRANSPORTS__GCPS__CONCURRENCY",
      "--transports-gcps-concurrency",
      undefined,
    ],
    [
      "transports.gcps.timeout",
      "RESONATE_TRANSPORTS__GCPS__TIMEOUT",
      "--transports-gcps-timeout",
      undefined,
    ],
    [
      "transports.bash_exec.enabled",
      "RESONATE_TRANSPORTS__BASH_EXEC__ENABLED",
      "--transports-bash-exec-enabled",
      false,
    ],
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
    ["storage.type", "disk", "sqlite, postgres, memory"],
    ["storage.sqlite.path", "", "the path of a file"],
    ["storage.sqlite.path", ".", "the path of a file"],
    ["storage.sqlite.path", "data/", "the path of a file"],
    ["storage.sqlite.path", ":memory:", "the path of a file"],
    ["storage.sqlite.synchronous", "off", "full, normal"],
    ["tasks.retry_timeout", "0", "milliseconds above 0"],
    ["level", "trace", "debug, info, warn, error"],
    ["insecure", "yes", "true, false"],
    ["transports.gcps.enabled", "true", "false (nothing is delivered to Google Pub/Sub)"],
    ["transports.bash_exec.enabled", "true", "false (this server runs no scripts)"],
    ["transports.http_push.auth.mode", "gcp", "none, bearer"],
    ["storage.type", "mysql", "MySQL is not planned"],
    ["limits.body_bytes", "1023", "a whole number of bytes from 1024 to 268435456"],
    ["observability.metrics_port", "x", "0 for none"],
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

describe("PostgreSQL", () => {
  test("needs the URL of a database, which is never shown", () => {
    const flags = { "storage.type": "postgres" };
    const wrong = { ...flags, "storage.postgres.url": "mysql://u:secret@h/d" };

    expect(() => readSettings({ flags })).toThrow("storage.postgres.url");
    expect(() => readSettings({ flags: wrong })).toThrow("must be a URL such as postgres://");
    expect(() => readSettings({ flags: wrong })).not.toThrow("secret");
  });

  test("is reached by either of its schemes", () => {
    for (const url of ["postgres://u:p@h:5432/d", "postgresql://h/d"]) {
      const flags = { "storage.type": "postgres", "storage.postgres.url": url };

      expect(readSettings({ flags })["storage.postgres.url"]).toBe(url);
    }
  });
});

test("settings that take one of a few words list them", () => {
  const listed = SETTINGS.flatMap(({ key, choices }) => (choices ? [[key, choices]] : []));

  expect(listed).toEqual([
    ["level", ["debug", "info", "warn", "error"]],
    ["storage.type", ["sqlite", "postgres", "memory"]],
    ["storage.sqlite.synchronous", ["full", "normal"]],
    ["transports.http_push.auth.mode", ["none", "bearer"]],
  ]);
});

describe("authentication that would not happen is refused:", () => {
  test.each([
    ["a misspelled variable", { RESONATE_AUTH__PUBLIC_KEY: "key.pem" }, "RESONATE_AUTH__PUBLICKEY"],
    ["an issuer without a key", { RESONATE_AUTH__ISS: "us" }, "auth.iss is set without"],
    ["an audience without a key", { RESONATE_AUTH__AUD: "us" }, "auth.aud is set without"],
  ])("%s", (_name, env, message) => {
    expect(() => readSettings({ env })).toThrow(message);
  });
});

describe("a token of pushes that nobody would get is refused:", () => {
  const push = "transports.http_push";
  const bearer = { [`${push}.auth.mode`]: "bearer" };
  const token = { [`${push}.auth.token`]: "s3cret" };
  test.each([
    ["without a token", bearer, "auth.token is not set"],
    ["without hosts", { ...bearer, ...token }, "allow_targets names no host"],
    [
      "with ranges alone",
      { ...bearer, ...token, [`${push}.allow_targets`]: "10.0.0.0/8" },
      "allow_targets names no host",
    ],
  ])("%s", (_name, flags, message) => {
    expect(() => readSettings({ flags })).toThrow(message);
  });

  test.each(["http://a", "a:80", "10.0.0.0/99", "[::1]", ""])("target '%s'", (target) => {
    expect(() => readSettings({ flags: { [`${push}.allow_targets`]: target } })).toThrow(
      /allow_targets \(--transports-http-push-allow-targets\) must be host names/,
    );
  });
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

describe("a configuration file", () => {
  const read = (text: string, more = {}) =>
    readSettings({ file: { path: "conf/resonate.toml", text }, ...more });

  test("says what the environment and flags do not", () => {
    const text = `
      level = "debug"
      insecure = true
      [server]
      port = 9_001
      bind = "0.0.0.0"
      cors.allow_origins = ["https://a.example", "https://b.example"]
      [tasks]
      retry_timeout = 1
    `;
    const env = { RESONATE_TASKS__RETRY_TIMEOUT: "2", RESONATE_LEVEL: "warn" };

    expect(
      read(text, { env, flags: { level: "error" }, defaults: { "server.port": 1 } }),
    ).toMatchObject({
      level: "error",
      insecure: true,
      "server.port": 9_001,
      "server.bind": "0.0.0.0",
      "server.cors.allow_origins": ["https://a.example", "https://b.example"],
      "tasks.retry_timeout": 2,
    });
  });

  test.each([
    [
      "a value that is not allowed",
      "[server]\nport = 70000",
      "server.port (conf/resonate.toml) must be a port",
    ],
    ["a fraction", "[server]\nport = 1.5", "got '1.5'"],
    [
      "a list where one is meant",
      "[server]\nport = [1]",
      "server.port (conf/resonate.toml) must be",
    ],
    ["a date", "level = 2020-01-01", "level (conf/resonate.toml) must be debug, info"],
    ["a list of numbers", "[server.cors]\nallow_origins = [1]", "must be origins"],
    [
      "a key that is none",
      "[server]\nprot = 1",
      "conf/resonate.toml: 'server.prot' is no setting; there are server.host, server.port",
    ],
    [
      "a table that is none",
      "[srv]\nport = 1",
      "'srv.port' is no setting; settings start with level, debug, server",
    ],
    ["a value for a table", "server = 1", "'server' is no setting; settings start with"],
    ["a table for a value", "[level]\nx = 1", "'level.x' is no setting"],
    ["a name of objects", "[__proto__]\nlevel = 'warn'", "'__proto__.level' is no setting"],
    ["another name of objects", "constructor = 1", "'constructor' is no setting"],
    ["no TOML", "level = ", "conf/resonate.toml:1:9: "],
  ])("with %s is refused", (_name, text, message) => {
    expect(() => read(text)).toThrow(SettingsError);
    expect(() => read(text)).toThrow(message);
    expect(Object.prototype).not.toHaveProperty("level");
  });
});

test("what has no effect is said, each in one line", () => {
  const notes = settingsNotes({
    file: { path: "f.toml", text: "[storage.mysql]\nurl = 'mysql://u:secret@h/d'" },
    env: { RESONATE_MESSAGES__BATCH_SIZE: "5", RESONATE_SERVER__PROT: "1" },
    flags: { "transports.gcps.project": "x" },
  });

  expect(notes).toEqual([
    "RESONATE_SERVER__PROT is not a setting of this version and is ignored",
    "storage.mysql.url (f.toml) has no effect: there is no MySQL storage",
    expect.stringMatching(
      /^messages\.batch_size \(RESONATE_MESSAGES__BATCH_SIZE\) has no effect: /,
    ),
    "transports.gcps.project (--transports-gcps-project) has no effect: nothing is delivered to Google Pub/Sub",
  ]);
});

test("a secret that is wrong is not shown", () => {
  expect(() => readSettings({ flags: { "transports.http_push.auth.token": "" } })).toThrow(
    /transports\.http_push\.auth\.token \(--transports-http-push-auth-token\) must be a text$/,
  );
});

test.each([
  ["a key", { "auth.publickey": "key.pem" }, true],
  ["no signatures", { "auth.publickey": "none" }, false],
])("with %s the door to other machines may be open: %s", (_name, flags, open) => {
  const read = () => readSettings({ flags: { "server.bind": "0.0.0.0", ...flags } });

  if (open) expect(read()["server.bind"]).toBe("0.0.0.0");
  else expect(read).toThrow("checks no signatures");
});
