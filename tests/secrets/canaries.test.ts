/**
 * Nothing that these programs print, log, answer or throw has a secret in it: real processes at their most talkative, with
 * secrets that can be recognised, and every way to be wrong that we know of.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SignJWT } from "jose";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type Cluster,
  createDatabase,
  startCluster,
} from "../../packages/server/test/support/postgres.ts";

const COMMAND = fileURLToPath(new URL("../../packages/cli/bin/resonate.js", import.meta.url));
const WORKER = fileURLToPath(new URL("canary-worker.ts", import.meta.url));
/** Nobody listens there. */
const NOWHERE = "127.0.0.1:1";

const DATABASE_GONE_MS = 3_000;

const canary = () => `canary${randomUUID().replaceAll("-", "")}`;
const secrets = { password: canary(), pushToken: canary(), urlPassword: canary(), claim: canary() };
const keys = generateKeyPairSync("ed25519");

let folder: string;
let said = "";
const children = new Set<ChildProcess>();
let cluster: Cluster;
beforeEach(async () => {
  cluster = await startCluster();
  folder = mkdtempSync(join(tmpdir(), "resonate-canaries-"));
  said = "";
});
afterEach(async () => {
  await Promise.all([...children].map((child) => ended(child, "SIGKILL")));
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

test("secrets are in nothing that server, commands and workers say, whatever goes wrong", async () => {
  const database = await createDatabase(cluster.url);
  const token = await tokenOf({ role: "admin", note: secrets.claim });
  const expired = await tokenOf({ role: "admin", note: secrets.claim, exp: 1 });
  const pushed = await receiver();
  const key = join(folder, "key.pem");
  writeFileSync(key, keys.publicKey.export({ type: "spki", format: "pem" }));
  const flags = [
    ...["--server-port", "0", "--level", "debug", "--debug", "true", "--auth-publickey", key],
    ...["--storage-type", "postgres", "--storage-postgres-url", withPassword(database.url)],
    ...["--transports-http-push-allow-targets", "127.0.0.1"],
    ...["--transports-http-push-auth-mode", "bearer"],
    ...["--transports-http-push-auth-token", secrets.pushToken],
  ];
  const server = run(["serve", ...flags]);
  const url = /http:[^\s"]+/.exec(await server.until(/http:[^\s"]+/))?.[0] ?? "";
  const auth = { RESONATE_TOKEN: token };

  // What goes well.
  await end(worker("run", url, auth));
  const create = (target: string) => {
    const tags = JSON.stringify({ "resonate:target": target });
    const args = ["promises", "create", `pushed-${randomUUID()}`, "--timeout", "1h"];
    return command([...args, "--tags", tags], url, auth);
  };
  await all([
    create(pushed.url),
    create(`http://${NOWHERE}/`),
    command(["tree", "canary-flow"], url, auth),
    run(["serve", "--help"], { RESONATE_TOKEN: token }),
  ]);
  expect((await pushed.authorization).slice("Bearer ".length)).toBe(secrets.pushToken);
  for (const path of ["/metrics", "/ready", "/health"]) await get(`${url}${path}`, token);

  // Tokens that open nothing.
  for (const shown of [expired, `${token}x`]) {
    for (const path of ["/poll/g/p", "/metrics"]) await get(`${url}${path}`, shown);
    await all([
      command(["promises", "get", "canary-flow"], url, { RESONATE_TOKEN: shown }),
      command(["promises", "get", "canary-flow", "--token", shown], url),
      worker("get", url, { RESONATE_TOKEN: shown }),
    ]);
  }

  // Addresses with passwords in them, where nobody is.
  const elsewhere = `http://user:${secrets.urlPassword}@${NOWHERE}`;
  await all([
    worker("get", elsewhere, auth),
    command(["promises", "get", "x"], elsewhere, auth),
    command(["promises", "get", "x"], `http://user:${secrets.urlPassword}@`, auth),
  ]);

  // Settings that are wrong.
  const onDatabase = (url: string) => ["serve", "--storage-postgres-url", url];
  const config = join(folder, "resonate.toml");
  writeFileSync(config, `[storage.postgres]\nurl = "x:${secrets.password}"\n`);
  await all([
    run([
      ...onDatabase(`postgres://user:${secrets.password}@${NOWHERE}/x`),
      "--storage-type",
      "postgres",
    ]),
    run(onDatabase(`mysql://user:${secrets.password}@x`)),
    run(["serve", "--transports-http-push-auth-mode", "bearer", ...flags.slice(-2)]),
    run(["serve", "--config", config]),
    run(["serve"], { RESONATE_STORAGE__POSTGRES__URL: `x:${secrets.password}` }),
  ]);

  // The database goes away, and the server with it.
  await database.drop();
  const body = JSON.stringify({
    kind: "promise.get",
    head: { corrId: "c", version: "2026-04-01", auth: token },
    data: { id: "canary-flow" },
  });
  // It may wait for the database to come back; what it says meanwhile is what this is about.
  const signal = AbortSignal.timeout(DATABASE_GONE_MS);
  said += await fetch(url, { method: "POST", body, signal })
    .then((response) => response.text())
    .catch(String);
  await end(server, "SIGTERM");

  expect(said).toContain("as it should");
  expect(said).toContain("Unauthorized");
  const hidden = { ...secrets, token, expired, ...partsOf(token), ...encoded(secrets) };
  const seen = Object.entries(hidden).filter(([, secret]) => said.includes(secret));
  expect(seen.map(([name, secret]) => [name, around(secret)])).toEqual([]);
}, 120_000);

/** What stands around a secret that was said, for whoever has to find out why. */
function around(secret: string): string {
  const at = said.indexOf(secret);
  return said.slice(Math.max(0, at - 200), at + 60);
}

function partsOf(token: string) {
  const [, claims = "", signature = ""] = token.split(".");
  return { claims, signature };
}

/** The secrets as they stand in headers and in URLs. */
function encoded(given: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(given).map(([name, text]) => [
      `${name} in base64`,
      Buffer.from(text).toString("base64").slice(0, 40),
    ]),
  );
}

function withPassword(url: string): string {
  const own = new URL(url);
  own.password = secrets.password;
  return own.href;
}

function tokenOf(claims: object): Promise<string> {
  return new SignJWT({ exp: Math.floor(Date.now() / 1_000) + 3_600, ...claims })
    .setProtectedHeader({ alg: "EdDSA" })
    .sign(keys.privateKey);
}

/** Takes a push, and shows with what it came. */
async function receiver(): Promise<{ url: string; authorization: Promise<string> }> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    resolve(request.headers.authorization ?? "");
    response.end();
    server.close();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${address.port}/`, authorization: promise };
}

interface Running {
  readonly child: ChildProcess;
  /** All that it has said, once that matches. */
  until(pattern: RegExp): Promise<string>;
}

function command(args: readonly string[], url: string, env = {}): Running {
  return run([...args, "--server", url], env);
}

function worker(what: string, url: string, env = {}): Running {
  return start([WORKER, url, what], env);
}

function run(args: readonly string[], env = {}): Running {
  return start([COMMAND, ...args], env);
}

function start(args: readonly string[], env: Readonly<Record<string, string>>): Running {
  const kept = Object.entries(process.env).filter(([name]) => !/^(RESONATE|VITEST)/.test(name));
  const child = spawn(process.execPath, [...args], {
    cwd: folder,
    env: { ...Object.fromEntries(kept), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  let own = "";
  let look = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      own += text;
      said += text;
      look();
    });
  }
  return {
    child,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        look = () => pattern.test(own) && resolve(own);
        child.once("close", () => reject(new Error(`it ended: ${own}`)));
        look();
      }),
  };
}

async function all(running: readonly Running[]): Promise<void> {
  await Promise.all(running.map((one) => end(one)));
}

async function end({ child }: Running, signal?: NodeJS.Signals): Promise<void> {
  await ended(child, signal);
}

async function ended(child: ChildProcess, signal?: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  if (signal) child.kill(signal);
  await closed;
}

async function get(url: string, token: string): Promise<void> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  said += `${JSON.stringify([...response.headers])}\n`;
  said += await response.text();
}
