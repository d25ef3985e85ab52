import { createServer as createHttp } from "node:http";
import { createServer } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { resonate } from "./command.ts";
import { FakeServer, listening } from "./fake-server.ts";

const server = new FakeServer();
const { answer } = server;
let url: string;

beforeAll(async () => {
  url = await server.start();
});
beforeEach(() => {
  server.answer = answer;
  server.asked.length = 0;
  server.headers.length = 0;
});
afterAll(() => server.stop());

const decoded = (data: string) => JSON.parse(Buffer.from(data, "base64").toString("utf8"));

describe("invoke", () => {
  test("creates the root of a tree with everything that was said", async () => {
    const before = Date.now();

    const words = "invoke greet-1 -f greet --arg World --arg 7 --version 3 --timeout 1m --delay 2s";
    const ended = await resonate([...words.split(" "), "--target", "greeters", "-S", url]);

    const after = Date.now();
    expect(ended).toMatchObject({ code: 0, err: "" });
    expect(ended.out).toContain(`Created greet-1: greet, for poll://any@greeters at ${url}.`);
    const [{ kind, data } = { kind: "", data: {} }] = server.asked;
    expect(kind).toBe("promise.create");
    expect(decoded(data.param.data)).toEqual({ func: "greet", args: ["World", 7], version: 3 });
    expect(data.tags).toEqual({
      "resonate:origin": "greet-1",
      "resonate:branch": "greet-1",
      "resonate:parent": "greet-1",
      "resonate:scope": "global",
      "resonate:target": "poll://any@greeters",
      "resonate:delay": String(data.timeoutAt - 60_000),
    });
    expect(data.timeoutAt).toBeGreaterThanOrEqual(before + 62_000);
    expect(data.timeoutAt).toBeLessThanOrEqual(after + 62_000);
  });

  test("finds the server and its token in the environment, and shows the token twice", async () => {
    const env = { RESONATE_URL: url, RESONATE_TOKEN: "t" };

    await resonate(["invoke", "a", "-f", "f"], { env });

    expect(server.asked).toMatchObject([{ head: { auth: "t" } }]);
    expect(server.headers).toMatchObject([{ authorization: "Bearer t" }]);
  });

  test("says when the id existed before", async () => {
    server.answer = ({ data }) => ({
      status: 200,
      data: { promise: { ...data, state: "resolved", timeoutAt: 1 } },
    });

    const people = await resonate(["invoke", "a", "-f", "f", "-S", url]);
    const program = await resonate(["invoke", "a", "-f", "f", "-S", url, "--json"]);

    expect(people.out).toContain("a exists already, and is resolved. Nothing was changed.");
    expect(JSON.parse(program.out)).toEqual({ id: "a", state: "resolved", created: false });
  });

  test.each([
    ["no function", ["a"], "--func"],
    ["a child's id", ["a:1", "-f", "f"], "must not contain ':'"],
    ["both kinds of arguments", ["a", "-f", "f", "--arg", "1", "--json-args", "[]"], "exclude"],
    ["arguments that are no array", ["a", "-f", "f", "--json-args", "{}"], "must be a JSON array"],
    [
      "a duration without a unit",
      ["a", "-f", "f", "--timeout", "5"],
      "--timeout must be a duration",
    ],
    ["a target that is none", ["a", "-f", "f", "--target", "a b"], "--target must be"],
    ["a server that is none", ["a", "-f", "f", "-S", "localhost:1"], "--server must be"],
    ["an unknown option", ["a", "-f", "f", "--timout", "1s"], "Did you mean --timeout?"],
  ])("%s is exit code 2, and nothing is sent", async (_name, words, message) => {
    const ended = await resonate(["invoke", ...words], { env: { RESONATE_URL: url } });

    expect(ended.code).toBe(2);
    expect(ended.err).toContain(message);
    expect(server.asked).toEqual([]);
  });
});

describe("promises", () => {
  test.each([
    ["resolve", "resolved"],
    ["reject", "rejected"],
    ["cancel", "rejected_canceled"],
  ])("%s settles as %s", async (verb, state) => {
    await resonate(["promises", verb, "a", "--json-value", '{"ok":true}', "-S", url]);

    expect(server.asked).toMatchObject([{ kind: "promise.settle", data: { id: "a", state } }]);
    expect(decoded(server.asked[0]?.data.value.data)).toEqual({ ok: true });
  });

  test("create encodes the data of a payload and keeps its headers", async () => {
    const param = '{"headers":{"h":"1"},"data":"text"}';

    const ended = await resonate([
      "promise",
      "create",
      "a",
      "-t",
      "1s",
      "--param",
      param,
      "--tags",
      '{"k":"v"}',
      "-S",
      url,
    ]);

    expect(ended.code).toBe(0);
    expect(server.asked).toMatchObject([
      {
        kind: "promise.create",
        data: { param: { headers: { h: "1" }, data: "dGV4dA==" }, tags: { k: "v" } },
      },
    ]);
  });

  test("get prints the record over several lines, or one with --json", async () => {
    const people = await resonate(["promises", "get", "a", "-S", url]);
    const program = await resonate(["promises", "get", "a", "-S", url, "--json"]);

    expect(people.out).toBe(
      '{\n  "id": "a",\n  "state": "pending",\n  "value": {},\n  "createdAt": 0\n}\n',
    );
    expect(program.out).toBe('{"id":"a","state":"pending","value":{},"createdAt":0}\n');
  });

  test("search asks for one page", async () => {
    server.answer = () => ({ status: 200, data: { promises: [], cursor: "next" } });

    const words = "promises search --state pending --limit 5 --cursor c --json";
    const ended = await resonate([...words.split(" "), "-S", url]);

    expect(ended.out).toBe('{"promises":[],"cursor":"next"}\n');
    expect(server.asked).toMatchObject([
      { kind: "promise.search", data: { state: "pending", limit: 5, cursor: "c", tags: {} } },
    ]);
  });

  test("control characters in records are shown, not obeyed", async () => {
    const id = "\u001b[31mred\u0007\u009b\u202e\nline";
    server.answer = () => ({ status: 200, data: { promise: { id } } });

    const { out } = await resonate(["promises", "get", "a", "-S", url, "--json"]);

    expect(JSON.parse(out)).toEqual({ promise: { id } }.promise);
    expect(out.slice(0, -1)).toMatch(/^[\u0020-\u007e]+$/);
  });
});

describe("a server", () => {
  test("that refuses is exit code 1 with its message", async () => {
    server.answer = () => ({ status: 404, data: "Promise not found\u001b[2J" });

    const ended = await resonate(["promises", "get", "a", "-S", url]);

    expect(ended).toEqual({ code: 1, out: "", err: "Error: Promise not found\n" });
  });

  test("that is not there is exit code 1 and one line that says where it was looked for", async () => {
    const nobody = createServer();
    const gone = await listening(nobody);
    await new Promise((resolve) => nobody.close(resolve));

    const ended = await resonate(["tree", "a", "-S", gone]);

    expect(ended.code).toBe(1);
    expect(ended.err).toBe(
      `Error: there is no server at ${gone} (ECONNREFUSED). ` +
        "Start one with 'resonate dev', or say where it is with --server\n",
    );
  });

  test("that is something else is named so", async () => {
    const page = createHttp((_request, response) => response.end("<html>"));
    const where = await listening(page);

    const ended = await resonate(["promises", "get", "a", "-S", where]);
    page.closeAllConnections();
    page.close();

    expect(ended.code).toBe(1);
    expect(ended.err).toContain(`what answers at ${where} is not a Resonate server (HTTP 200)`);
  });
});

describe("help", () => {
  test.each([
    [[]],
    [["dev"]],
    [["serve"]],
    [["invoke"]],
    [["tree"]],
    [["promises"]],
    [["promises", "resolve"]],
  ])("of %j has examples and is exit code 0", async (words) => {
    const ended = await resonate([...words, "--help"]);

    expect(ended).toMatchObject({ code: 0, err: "" });
    expect(ended.out).toMatch(/Examples?:\n {2}\$ resonate/);
  });

  test("a command that does not exist is exit code 2", async () => {
    const ended = await resonate(["trees", "a"]);

    expect(ended.code).toBe(2);
    expect(ended.err).toContain("Did you mean tree?");
  });

  test("--version prints the version", async () => {
    expect((await resonate(["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
