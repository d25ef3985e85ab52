/** `why`, `workers`, `watch` and `tree --watch`: on a server with a worker, and on others. */
import { createServer } from "node:http";
import { type Context, Resonate, silentLogger } from "@resonate-ts/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunningCommand, resonate } from "./command.ts";
import { FakeServer, listening } from "./fake-server.ts";

let server: RunningCommand;
let worker: Resonate;
let env: { RESONATE_URL: string };

beforeAll(async () => {
  server = new RunningCommand(["dev", "--memory", "--server-port", "0"]);
  const [, url = ""] = await server.until(/listens on (\S+)\n/);
  env = { RESONATE_URL: url };
  worker = new Resonate({ url, pid: "ann", logger: silentLogger });
  worker.register("ask", function* ask(ctx: Context) {
    yield* ctx.run(compose);
    return yield* ctx.promise<string>();
  });
  // Workflows are not tried again by themselves.
  // biome-ignore lint/correctness/useYield: one that fails before its first step.
  worker.register("fail", function* fail() {
    throw new TypeError("no way");
  });
});
afterAll(async () => {
  await worker.stop();
  server.kill("SIGTERM");
  expect((await server.ended).code).toBe(0);
});

function compose(): number {
  return 1;
}

const invoke = (id: string, ...words: readonly string[]) =>
  resonate(["invoke", id, ...words], { env });

/** Without what differs from run to run. */
const timeless = (text: string) => text.replaceAll(/(?<=[+ ])\d[\d.]*m?s(?: \d+s)?/g, "T");

describe("why", () => {
  test("names the group that nobody is in, and one that is meant", async () => {
    await invoke("lost-1", "-f", "ask", "--target", "defualt");

    const { code, out } = await resonate(["why", "lost-1"], { env });

    expect([code, out]).toEqual([
      0,
      "lost-1 is stuck. Somebody has to do something:\n" +
        "  No worker is connected in group 'defualt'. Did you mean 'default'?\n",
    ]);
  });

  test("follows what is awaited to its end, and says who has to settle it by when", async () => {
    await invoke("ask-1", "-f", "ask");
    const watching = new RunningCommand(["watch", "ask-1"], { env });
    await watching.until(/ask-1:1 🟡/);

    const { out } = await resonate(["why", "ask-1"], { env });
    const json = await resonate(["why", "ask-1", "--json"], { env });
    watching.kill("SIGKILL");
    await watching.ended;

    expect(out.split("\n").slice(0, 2)).toEqual([
      "ask-1 is waiting:",
      expect.stringMatching(
        /^ {2}'ask-1:1' has no function: somebody has to settle it \(resonate promises resolve 'ask-1:1'\)\. It times out: in \d+m.*\.$/,
      ),
    ]);
    expect(JSON.parse(json.out)).toMatchObject({ id: "ask-1", verdict: "waiting" });
  });

  test("of what is not there is exit code 1", async () => {
    const ended = await resonate(["why", "nothing"], { env });

    expect(ended).toMatchObject({ code: 1, out: "" });
    expect(ended.err).toMatch(/^Error: .*not found.*\n$/i);
  });
});

test("workers prints groups with who is there, what they run and what waits", async () => {
  await invoke("mail-1", "-f", "send", "--target", "mail");

  const { code, out } = await resonate(["workers"], { env });
  const json = await resonate(["workers", "--json"], { env });

  expect(code).toBe(0);
  const lines = timeless(out).split("\n");
  expect(lines).toContain("mail: no worker, 1 task waits, for up to T");
  expect(lines).toContain("default: 1 worker, nothing waits");
  expect(lines).toContainEqual(
    expect.stringMatching(/^ {2}ann {2}holds \d of \d+, connected for T, runs ask v1, fail v1$/),
  );
  expect(JSON.parse(json.out)).toContainEqual(expect.objectContaining({ group: "mail" }));
});

describe("watch", () => {
  test("prints what happens, line by line, and is exit code 0 when it is resolved", async () => {
    await invoke("ask-2", "-f", "ask");
    const watching = new RunningCommand(["watch", "ask-2"], { env });
    await watching.until(/ask-2:1 🟡/);
    await resonate(["promises", "resolve", "ask-2:1", "--json-value", '"yes"'], { env });

    const { code, out, err } = await watching.ended;

    expect([code, err]).toEqual([0, ""]);
    const lines = timeless(out).trimEnd().split("\n");
    expect(lines).toContain("+T ask-2:0 🟢 (run compose) resolved after T");
    expect(lines).toContain("+T ask-2:1 🟡 (promise) begun");
    expect(lines.slice(-2).toSorted()).toEqual([
      "+T ask-2 🟢 (ask) resolved after T",
      "+T ask-2:1 🟢 (promise) resolved after T",
    ]);
  });

  test("of a run that fails is exit code 1 with the reason", async () => {
    await invoke("fail-1", "-f", "fail");

    const ended = await resonate(["watch", "fail-1"], { env });

    expect([ended.code, ended.err]).toEqual([1, "Error: fail-1 was rejected: TypeError: no way\n"]);
    expect(timeless(ended.out)).toContain("+T fail-1 🔴 (fail) rejected after T\n");
  });

  test("with --json prints a promise for each change", async () => {
    const ended = await resonate(["watch", "fail-1", "--json"], { env });

    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.out)).toMatchObject({ id: "fail-1", kind: "root", state: "rejected" });
  });
});

test("tree --watch goes on until the run has ended, and is exit code 0 however it did", async () => {
  const ended = await resonate(["tree", "fail-1", "--watch"], { env });

  expect([ended.code, ended.err]).toEqual([0, ""]);
  expect(timeless(ended.out)).toBe("+T fail-1 🔴 (fail) rejected after T\n");
});

describe("of a server that tells nothing beyond the protocol", () => {
  const other = new FakeServer();
  let at: { env: { RESONATE_URL: string } };
  const promise = { param: {}, value: {}, timeoutAt: 9e15, createdAt: 0 };

  // As official servers do, it answers one path only.
  const door = createServer(async (request, response) => {
    if (request.method === "GET") return response.writeHead(404).end();
    const body = Buffer.concat(await request.toArray());
    const answer = await fetch(fake, { method: "POST", body });
    return response.writeHead(answer.status).end(await answer.text());
  });
  let fake: string;

  beforeAll(async () => {
    fake = await other.start();
    at = { env: { RESONATE_URL: await listening(door) } };
  });
  afterAll(async () => {
    await other.stop();
    await new Promise((resolve) => door.close(resolve));
  });

  test.each(["workers", "watch a", "tree a --watch"])("%s says so in one line", async (words) => {
    const ended = await resonate(words.split(" "), at);

    expect([ended.code, ended.out]).toEqual([1, ""]);
    expect(ended.err).toMatch(/^Error: the server at \S+ does not tell this: [^\n]*\n$/);
  });

  test.each([
    ["suspended", {}, "a is waiting:", "waits for something it has started"],
    ["acquired", { pid: "bob", version: 1 }, "a is running.", "'a' is held by worker 'bob'."],
    ["halted", { cause: "TypeError: x" }, "a is stuck.", "Its worker said: TypeError: x"],
    ["pending", {}, "a is waiting:", "Nobody has taken a yet."],
  ])("why tells what its task tells: %s", async (state, more, verdict, reason) => {
    other.answer = ({ kind }) => ({
      status: 200,
      data:
        kind === "task.get"
          ? { task: { id: "a", state, version: 0, resumes: 0, ...more } }
          : {
              promise: {
                ...promise,
                id: "a",
                state: "pending",
                tags: { "resonate:target": "poll://any@g" },
              },
            },
    });

    const { code, out } = await resonate(["why", "a"], at);

    expect(code).toBe(0);
    const [first, second] = out.split("\n");
    expect(first).toMatch(new RegExp(`^${verdict}`));
    expect(second).toContain(reason);
  });
});
