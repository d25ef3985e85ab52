import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import type { JWTPayload } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { readPublicKey } from "../../src/http/auth.ts";
import { hasDuplicateNames } from "../../src/http/duplicate-names.ts";
import { SettingsError } from "../../src/settings.ts";
import {
  type Answer,
  ask,
  envelope,
  FakeEngine,
  Stream,
  silent,
  start,
  type TestServer,
} from "./harness.ts";
import { FAMILIES, type KeyFile, keyFile, nowS, part, pemOf, SIGNER, tokenOf } from "./tokens.ts";

const admin = { role: "admin" };

let file: KeyFile;
let server: TestServer;

beforeAll(() => {
  file = keyFile();
});
afterAll(() => file.remove());
beforeEach(async () => {
  server = await start({
    "auth.publickey": file.path,
    "auth.iss": "https://us.example",
    "auth.aud": "resonate",
  });
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

const valid = { ...admin, iss: "https://us.example", aud: "resonate" };

/** Claims without one of them. */
function without(name: string): JWTPayload {
  return { ...valid, [name]: undefined };
}

function signedBy(payload: string, header: object = { alg: "EdDSA" }): string {
  const text = `${part(header)}.${part(payload)}`;
  return `${text}.${sign(null, Buffer.from(text), SIGNER.privateKey).toString("base64url")}`;
}

/** The same words for all, on `POST /` in the envelope and in the header, and for a stream. */
async function expectUnauthorized(token: string): Promise<void> {
  const inEnvelope = await post({ auth: token });
  const inHeader = await post({}, token);
  const ofStream = await ask(server, {
    method: "GET",
    path: "/poll/g/p",
    headers: { authorization: `Bearer ${token}` },
  });

  for (const answer of [inEnvelope, inHeader]) {
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toEqual({
      kind: "promise.get",
      head: { corrId: "c1", status: 401, version: "2026-04-01" },
      data: "Unauthorized",
    });
  }
  expect([ofStream.status, ofStream.text]).toEqual([401, '{"error":"Unauthorized"}']);
  expect(server.engine.processed).toEqual([]);
  expect(server.engine.connections).toBe(0);
}

function post(head: object, bearer?: string): Promise<Answer> {
  const corr = { corrId: "c1", version: "2026-04-01" };
  return ask(server, {
    body: JSON.stringify(envelope({ head: { ...corr, ...head } })),
    headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
  });
}

test("a valid token is let in, in the envelope and in the header", async () => {
  const token = await tokenOf(valid);

  expect((await post({ auth: token })).status).toBe(200);
  expect((await post({}, token)).status).toBe(200);
  expect((await post({ auth: token }, token)).status).toBe(200);
  expect((await post({ auth: null }, token)).status).toBe(200);
  const stream = await Stream.open(server, "/poll/g/p", { authorization: `bearer  ${token}` });
  expect(stream.response.statusCode).toBe(200);
});

describe.each(Object.entries(FAMILIES))("a key of the family %s", (_name, { pair, algorithms }) => {
  test.each(algorithms)("checks %s", async (alg) => {
    const own = keyFile(pair.publicKey);
    const other = await start({ "auth.publickey": own.path });
    own.remove();
    const token = await tokenOf(admin, { key: pair.privateKey, alg });
    const [head, claims, signature = ""] = token.split(".");
    const forged = `${head}.${claims}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;

    const statuses = [];
    for (const bearer of [token, forged]) {
      const headers = { authorization: `Bearer ${bearer}` };
      statuses.push((await ask(other, { body: JSON.stringify(envelope()), headers })).status);
    }
    await other.close();

    expect(statuses).toEqual([200, 401]);
  });
});

describe("refused is", () => {
  test.each<[string, () => string | Promise<string>]>([
    ["no token at all", () => "x"],
    ["an empty one", () => ".."],
    ["alg none", () => `${part({ alg: "none" })}.${part({ ...valid, exp: nowS() + 60 })}.`],
    [
      "alg none with the signature of another",
      async () => {
        const signature = (await tokenOf(valid)).split(".")[2];
        return `${part({ alg: "none" })}.${part({ ...valid, exp: nowS() + 60 })}.${signature}`;
      },
    ],
    [
      "HS256 with the public key for a secret",
      () => {
        const text = `${part({ alg: "HS256" })}.${part({ ...valid, exp: nowS() + 60 })}`;
        const secret = pemOf(SIGNER.publicKey);
        return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
      },
    ],
    [
      "the signature of another key, whatever kid it names",
      () => {
        const key = generateKeyPairSync("ed25519").privateKey;
        return tokenOf(valid, { key, header: { kid: "current" } });
      },
    ],
    [
      "a key of another family",
      () => tokenOf(valid, { key: FAMILIES["P-256"].pair.privateKey, alg: "ES256" }),
    ],
    ["another issuer", () => tokenOf({ ...valid, iss: "https://them.example" })],
    ["no issuer", () => tokenOf(without("iss"))],
    ["another audience", () => tokenOf({ ...valid, aud: ["them"] })],
    ["no audience", () => tokenOf(without("aud"))],
    ["no end", () => tokenOf(without("exp"))],
    ["an end that is no number", () => signedBy(JSON.stringify({ ...valid, exp: "9999999999" }))],
    ["one that ended a minute ago", () => tokenOf({ ...valid, exp: nowS() - 61 })],
    ["one that begins in more than a minute", () => tokenOf({ ...valid, nbf: nowS() + 65 })],
    [
      "a claim that is there twice",
      () => {
        const text = JSON.stringify({ ...valid, exp: nowS() + 60, prefix: "a" });
        return signedBy(text.replace("}", ',"\\u0070refix":"b"}'));
      },
    ],
    ["a megabyte", async () => `${await tokenOf(valid)}${"A".repeat(8_000)}`],
    ["claims that are no JSON", () => signedBy("{")],
    ["claims that are a list", () => signedBy("[]")],
    [
      "an extension that must be understood",
      () =>
        signedBy(JSON.stringify({ ...valid, exp: nowS() + 60 }), {
          alg: "EdDSA",
          crit: ["x"],
          x: 1,
        }),
    ],
  ])("%s", async (_name, make) => {
    await expectUnauthorized(await make());
  });

  test("one of a megabyte in the envelope, before anything is checked", async () => {
    const answer = await post({ auth: `${await tokenOf(valid)}${"A".repeat(1024 * 1024)}` });

    expect(answer.status).toBe(401);
  });

  test("a request without one", async () => {
    expect((await post({})).status).toBe(401);
    expect((await post({ auth: "" })).status).toBe(401);
    expect((await ask(server, { method: "GET", path: "/poll/g/p" })).status).toBe(401);
  });

  test("a request whose envelope and header disagree, though both are valid", async () => {
    const [one, other] = [await tokenOf(valid), await tokenOf({ ...valid, jti: "2" })];

    expect((await post({ auth: one }, other)).status).toBe(401);
    expect((await post({ auth: "x" }, one)).status).toBe(401);
  });
});

test("a request without a token tells nothing of what is wrong with it", async () => {
  const wrong = envelope({ kind: "promise.create", data: { id: 7 } });
  const unknown = envelope({ kind: "nonsense", data: {} });

  for (const body of [wrong, unknown]) {
    expect((await ask(server, { body: JSON.stringify(body) })).status).toBe(401);
  }
});

test("clocks may be 60 s off", async () => {
  expect((await post({}, await tokenOf({ ...valid, exp: nowS() - 58 }))).status).toBe(200);
  expect((await post({}, await tokenOf({ ...valid, nbf: nowS() + 58 }))).status).toBe(200);
});

test("a token that was valid is refused when it has ended", async () => {
  const token = await tokenOf({ ...valid, exp: nowS() + 10 });
  const before = await post({}, token);

  vi.useFakeTimers({ now: Date.now() + 71_000, toFake: ["Date"] });

  expect(before.status).toBe(200);
  expect((await post({}, token)).status).toBe(401);
});

test("a stream ends with the token that it was opened with", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  const token = await tokenOf({ ...valid, exp: nowS() + 10 });
  const stream = await Stream.open(server, "/poll/g/p", { authorization: `Bearer ${token}` });
  await stream.until(":");

  vi.advanceTimersByTime(68_000);
  const before = server.engine.connections;
  vi.advanceTimersByTime(3_000);
  await stream.ended;

  expect(before).toBe(1);
});

test("in a batch every entry has to show the one token", async () => {
  const token = await tokenOf(valid);
  const of = (auth?: string) => envelope({ head: { corrId: "c", version: "2026-04-01", auth } });
  const batch = (entries: readonly object[], headers = {}) =>
    ask(server, { body: JSON.stringify(entries), headers });
  const statuses = ({ text }: Answer) =>
    JSON.parse(text).map(({ head }: { head: { status: number } }) => head.status);

  const own = await batch([of(token), of(), of("x"), of(token)]);
  const shared = await batch([of(), of(token), of("x")], { authorization: `Bearer ${token}` });

  expect(statuses(own)).toEqual([200, 401, 401, 200]);
  expect(statuses(shared)).toEqual([200, 200, 401]);
});

test("without signatures the claims are checked all the same", async () => {
  const other = await start({ "auth.publickey": "none", "auth.iss": "us" });
  const status = async (claims: object, header: object = { alg: "none" }) => {
    const headers = { authorization: `Bearer ${part(header)}.${part(claims)}.` };
    return (await ask(other, { body: JSON.stringify(envelope()), headers })).status;
  };
  const exp = nowS() + 60;

  const statuses = [
    await status({ ...admin, exp, iss: "us" }),
    await status({ ...admin, exp, iss: "us" }, { alg: "RS256" }),
    await status({ ...admin, exp, iss: "them" }),
    await status({ ...admin, iss: "us" }),
    await status({ ...admin, exp: nowS() - 61, iss: "us" }),
    await status({ exp, iss: "us" }),
  ];
  await other.close();

  expect(statuses).toEqual([200, 200, 401, 401, 401, 403]);
});

test("/health and /ready ask for nothing", async () => {
  for (const path of ["/health", "/ready"]) {
    expect((await ask(server, { method: "GET", path })).status).toBe(200);
  }
});

describe("a key that cannot be used keeps the server from starting:", () => {
  test.each([
    ["no PEM", "not a key"],
    ["a private key", SIGNER.privateKey.export({ type: "pkcs8", format: "pem" }).toString()],
    ["a short key", pemOf(generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey)],
    ["another curve", pemOf(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey)],
    ["another family", pemOf(generateKeyPairSync("x25519").publicKey)],
  ])("%s", async (_name, text) => {
    const own = keyFile(text);
    const started = start({ "auth.publickey": own.path });

    await expect(started).rejects.toThrow(SettingsError);
    await expect(started).rejects.toThrow(`'${own.path}' cannot be used`);
    await expect(started).rejects.not.toThrow("PRIVATE");
    own.remove();
  });

  test("a private key, without being shown", () => {
    const pem = SIGNER.privateKey.export({ type: "pkcs8", format: "pem" }).toString();

    expect(() => readPublicKey(pem)).toThrow("it is a private key");
  });
});

test.each([
  ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":"a"}]}', false],
  ['{"a":1,"a":1}', true],
  ['{"a":1,"\\u0061":1}', true],
  ['{"b":{"a":1,"c":{},"a":1}}', true],
  ['{"a":"\\",\\"a\\":1"}', false],
  ['["a","a",{"x":"a"}]', false],
  ["{}", false],
  ["7", false],
])("%s names a member twice: %s", (json, expected) => {
  expect(hasDuplicateNames(json)).toBe(expected);
});

test.each([
  ["beyond this machine", { "server.bind": "0.0.0.0", insecure: "true" }, 1],
  [
    "beyond it with claims alone",
    { "server.bind": "::", insecure: "true", "auth.publickey": "none" },
    1,
  ],
  ["to this machine", { insecure: "true" }, 0],
])(
  "a server without authentication that listens %s says so loudly or not",
  async (_, flags, times) => {
    const said: string[] = [];
    const logger = { ...silent, warn: (_fields: object, message: string) => said.push(message) };

    const open = await start(flags, new FakeEngine(), logger);
    await open.close();

    expect(said.filter((message) => message.startsWith("NO AUTHENTICATION"))).toHaveLength(times);
  },
);

test("a server with a key that listens beyond this machine says nothing of it", async () => {
  const said: string[] = [];
  const logger = { ...silent, warn: (_fields: object, message: string) => said.push(message) };

  const open = await start(
    { "server.bind": "0.0.0.0", "auth.publickey": file.path },
    new FakeEngine(),
    logger,
  );
  await open.close();

  expect(said).toEqual([]);
});
