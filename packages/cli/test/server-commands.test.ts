import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { access, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SETTINGS } from "@resonate-ts/server";
import { SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RunningCommand, resonate } from "./command.ts";

let cwd: string;
const running: RunningCommand[] = [];

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "resonate-cli-"));
});
afterEach(async () => {
  for (const command of running.splice(0)) {
    command.kill("SIGKILL");
    await command.ended;
  }
  await rm(cwd, { recursive: true });
});

/** Starts a server, and resolves when it says that it listens. */
async function start(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const command = new RunningCommand([...words, "--server-port", "0"], { cwd, env });
  running.push(command);
  const [, url = ""] = await command.until(/listens on (\S+)\n/);
  return { command, url };
}

async function stop(command: RunningCommand) {
  command.kill("SIGTERM");
  return command.ended;
}

describe("dev", () => {
  test("says where it listens, where the data is, what is pending and what to do next", async () => {
    const { command, url } = await start(["dev"]);
    await command.until(/Next: /);

    const { code, out } = await stop(command);

    expect(code).toBe(0);
    expect(url).toMatch(/^http:\/\/localhost:\d+$/);
    expect(out.split("\n")).toEqual([
      `Resonate listens on ${url}`,
      `Page: ${url}/ui`,
      `Data: ${join(cwd, ".resonate/dev.db")}`,
      `Workers find it with RESONATE_URL=${url}`,
      "Pending: nothing",
      `Next: start a worker, then: resonate invoke ID -f FUNCTION --wait --server ${url} (more: resonate invoke --help)`,
      "",
    ]);
  });

  test("names no page where there is none", async () => {
    const { command } = await start(["dev", "--memory", "--ui", "false"]);
    await command.until(/Next: /);

    expect((await stop(command)).out).not.toContain("Page:");
  });

  test("does not tell workers where they look by themselves", async () => {
    const { command } = await start(["dev", "--memory", "--server-url", "http://localhost:8001"]);
    await command.until(/Next: /);

    expect((await stop(command)).out).not.toContain("RESONATE_URL");
  });

  test.each([
    ["that is empty", "", "storage.sqlite.path (--storage-sqlite-path) must be"],
    ["under a file", "notes/x.db", "notes/x.db' cannot be opened: "],
  ])(
    "with a path %s is exit code 2 and one line, and writes nothing",
    async (_name, path, line) => {
      await writeFile(join(cwd, "notes"), "");

      for (const more of [[], ["--reset"]]) {
        const words = ["dev", "--server-port", "0", "--storage-sqlite-path", path, ...more];
        const ended = await resonate(words, { cwd });

        expect(ended).toMatchObject({ code: 2, out: "" });
        expect(ended.err).toMatch(/^Error: [^\n]*\n$/);
        expect(ended.err).toContain(line);
      }
      expect(await readdir(cwd)).toEqual(["notes"]);
    },
  );

  test("serves also under a name that does not lead to it from here", async () => {
    const { command } = await start(["dev", "--memory", "--server-host", "elsewhere.invalid"]);
    await command.until(/Pending: not known/);

    expect((await stop(command)).code).toBe(0);
  });

  test("keeps what it was told, and forgets it with --reset", async () => {
    const first = await start(["dev"]);
    await resonate(["invoke", "kept", "-f", "f", "-S", first.url]);
    await stop(first.command);

    const second = await start(["dev"]);
    await second.command.until(/Pending: kept\nNext: resonate tree kept --server http:\S+\n/);
    await stop(second.command);
    const third = await start(["dev", "--reset"]);

    await third.command.until(/Pending: nothing/);
  });

  test("with --memory keeps nothing, and writes nothing", async () => {
    const { command } = await start(["dev", "--memory"]);
    await command.until(/Data: in memory/);
    await stop(command);

    await expect(access(join(cwd, ".resonate"))).rejects.toThrow("ENOENT");
  });

  test("does not touch a file that another server holds, not even with --reset", async () => {
    const first = await start(["dev"]);
    await resonate(["invoke", "kept", "-f", "f", "-S", first.url]);

    const second = await resonate(["dev", "--reset", "--server-port", "0"], { cwd });

    expect(second.code).toBe(2);
    expect(second.err).toMatch(/^Error: .*dev\.db/);
    await stop(first.command);
    const third = await start(["dev"]);
    await third.command.until(/Pending: kept/);
  });

  test("refuses a file that is no database, and replaces it with --reset", async () => {
    const path = join(cwd, "notes.db");
    await writeFile(path, "not a database, but long enough to be looked at".repeat(50));
    const words = ["dev", "--storage-sqlite-path", path];

    const refused = await resonate([...words, "--server-port", "0"], { cwd });
    const { command } = await start([...words, "--reset"]);

    expect(refused.code).toBe(2);
    expect(refused.err).toContain(path);
    await command.until(/Pending: nothing/);
  });
});

describe("serve", () => {
  test("serves until it is told to stop, and exits 0", async () => {
    const { command, url } = await start(["serve", "--storage-type", "memory"]);

    const response = await fetch(`${url}/ready`);
    const { code } = await stop(command);

    expect(response.status).toBe(200);
    expect(code).toBe(0);
  });

  test("ends its streams when it stops", async () => {
    const { command, url } = await start(["serve", "--storage-type", "memory"]);
    const stream = await fetch(`${url}/poll/g/p`);

    const ended = stop(command);

    expect(await stream.text()).toBe(":\n\n");
    expect((await ended).code).toBe(0);
  });

  test("waits for what is under way, and a second signal ends it at once", async () => {
    const { command, url } = await start(["serve", "--storage-type", "memory"]);
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", () => {});
    const head =
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
    socket.write(head);
    // The server has taken the request, and will never have all of its body.
    await once(socket, "data");

    command.kill("SIGINT");
    await command.until(/Stopping/, "err");
    await expect(fetch(url)).rejects.toThrow();
    command.kill("SIGINT");

    expect((await command.ended).code).toBe(1);
    socket.destroy();
  });

  test("told to stop ends with 0 when its time is over, whatever clients do", async () => {
    const words = ["serve", "--storage-type", "memory", "--server-shutdown-timeout", "1500"];
    const { command, url } = await start(words);
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", () => {});
    socket.write(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    );
    // The server has taken the request, and will never have all of its body.
    await once(socket, "data");

    const startedAt = performance.now();
    const { code } = await stop(command);

    expect(code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    socket.destroy();
  });

  test("with a key lets in who has a token, and dev says that it does not look", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    await writeFile(join(cwd, "key.pem"), publicKey.export({ type: "spki", format: "pem" }));
    const { command, url } = await start(["dev", "--memory", "--auth-publickey", "key.pem"]);
    await command.until(/Pending: not shown/);
    const token = await new SignJWT({ role: "admin" })
      .setProtectedHeader({ alg: "EdDSA" })
      .setExpirationTime("1h")
      .sign(privateKey);

    const refused = await resonate(["promises", "search", "-S", url]);
    const admitted = await resonate(["promises", "search", "-S", url, "--token", token]);

    expect(refused.code).toBe(1);
    expect(refused.err).toContain("Unauthorized");
    expect(admitted.code).toBe(0);
    const { out, err } = await stop(command);
    expect(out + err + refused.err).not.toContain(token);
  });

  test("keeps what it acknowledged when it is killed", async () => {
    const first = await start(["serve"]);
    await resonate(["invoke", "kept", "-f", "f", "-S", first.url]);
    first.command.kill("SIGKILL");
    await first.command.ended;

    const second = await start(["serve"]);

    const { out } = await resonate(["promises", "get", "kept", "-S", second.url, "--json"]);
    expect(JSON.parse(out)).toMatchObject({ id: "kept", state: "pending" });
  });

  test("a port that is taken is exit code 1 and one line that names it", async () => {
    const { url } = await start(["serve", "--storage-type", "memory"]);
    const { port } = new URL(url);

    const ended = await resonate(["serve", "--storage-type", "memory", "--server-port", port], {
      cwd,
    });

    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(
      new RegExp(`^Error: port ${port} on 127.0.0.1 is in use .*--server-port.*\\n$`),
    );
  });

  test.each([
    ["a wrong value", ["--storage-type", "disk"], {}, "storage.type (--storage-type) must be"],
    ["no database", ["--storage-type", "postgres"], {}, "storage.postgres.url"],
    ["a wrong variable", [], { RESONATE_SERVER__PORT: "x" }, "server.port (RESONATE_SERVER__PORT)"],
    ["an open door", ["--server-bind", "0.0.0.0"], {}, "--insecure"],
    ["an unknown flag", ["--prot", "1"], {}, "unknown option '--prot'"],
  ])("%s is exit code 2", async (_name, words, env, message) => {
    const ended = await resonate(["serve", ...words], { cwd, env });

    expect(ended.code).toBe(2);
    expect(ended.err).toContain(message);
  });

  test("a variable that is no setting is named", async () => {
    const { command } = await start(["serve", "--storage-type", "memory"], {
      RESONATE_SERVER__PROT: "1",
    });

    expect((await stop(command)).err).toContain("RESONATE_SERVER__PROT is not a setting");
  });
});

describe("settings", () => {
  test("come from resonate.toml in this directory, under the environment and flags", async () => {
    await writeFile(join(cwd, "resonate.toml"), '[storage]\ntype = "memory"\n[server]\nport = 1\n');
    const { command } = await start(["serve"]);
    await command.until(/Data: in memory/);

    expect((await stop(command)).code).toBe(0);
  });

  test("come from the file that --config names", async () => {
    await writeFile(join(cwd, "resonate.toml"), "not = read");
    await writeFile(join(cwd, "other.toml"), '[storage.sqlite]\npath = "there.db"\n');
    const { command } = await start(["serve", "--config", "other.toml"]);
    await command.until(/Data: .*there\.db/);

    expect((await stop(command)).code).toBe(0);
  });

  test.each([
    ["a key that is none", "[server]\nprot = 1", [], "resonate.toml: 'server.prot' is no setting"],
    [
      "a wrong value",
      'level = "loud"',
      [],
      "level (resonate.toml) must be debug, info, warn, error",
    ],
    ["no TOML", "level", [], "resonate.toml:1:1: "],
    ["no file", "", ["--config", "absent.toml"], "'absent.toml' cannot be read (ENOENT)"],
    ["a key that is not there", "", ["--auth-publickey", "absent.pem"], "absent.pem"],
  ])("%s is exit code 2 and one line", async (_name, text, words, message) => {
    await writeFile(join(cwd, "resonate.toml"), text);

    const ended = await resonate(["serve", "--storage-type", "memory", ...words], { cwd });

    expect(ended).toMatchObject({ code: 2, out: "" });
    expect(ended.err).toMatch(/^Error: [^\n]*\n$/);
    expect(ended.err).toContain(message);
  });

  test("that have no effect here are said in one line, and the server serves", async () => {
    await writeFile(join(cwd, "resonate.toml"), '[storage.mysql]\nurl = "mysql://u:hush@h/d"\n');
    const { command } = await start(["serve", "--storage-type", "memory"]);

    const { err } = await stop(command);

    expect(err).toContain("storage.mysql.url (resonate.toml) has no effect: ");
    expect(err).not.toContain("hush");
  });

  test.each(["serve", "dev"])(
    "are listed by %s --help, with variables and defaults",
    async (name) => {
      const { out } = await resonate([name, "--help"]);

      for (const { flag, env, unused } of SETTINGS) {
        expect(out.includes(`${flag} `) && out.includes(`[${env}]`), flag).toBe(unused !== true);
      }
      expect(out).toMatch(/--server-port <value> .*\(default: 8001\) \[RESONATE_SERVER__PORT\]/);
    },
  );
});
