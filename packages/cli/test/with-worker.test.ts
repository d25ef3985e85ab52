import { type Context, Resonate, silentLogger } from "@resonate-ts/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunningCommand, resonate } from "./command.ts";

let server: RunningCommand;
let worker: Resonate;
let env: { RESONATE_URL: string };

beforeAll(async () => {
  server = new RunningCommand(["dev", "--memory", "--server-port", "0"]);
  const [, url = ""] = await server.until(/listens on (\S+)\n/);
  env = { RESONATE_URL: url };
  worker = new Resonate({ url, logger: silentLogger });
  worker.register("greet", function* greet(ctx: Context, name: string) {
    const words: string = yield* ctx.run(compose, name);
    return yield* ctx.rpc<string>("shout", words, ctx.options({ id: `shout-${name}` }));
  });
  worker.register("shout", (_ctx: Context, words: string) => words.toUpperCase());
  worker.register("big", () => ({ n: 2n ** 70n, text: "a\nb" }));
  // Workflows are not tried again by themselves.
  // biome-ignore lint/correctness/useYield: one that fails before its first step.
  worker.register("fail", function* fail() {
    throw new TypeError("no\u001b[2J way");
  });
});
afterAll(async () => {
  await worker.stop();
  server.kill("SIGTERM");
  expect((await server.ended).code).toBe(0);
});

function compose(_ctx: Context, name: string): string {
  return `hello ${name}`;
}

const wait = (...words: string[]) => resonate(["invoke", ...words, "--wait"], { env });

describe("invoke --wait", () => {
  test("prints the result, and where it waits on the other stream", async () => {
    const ended = await wait("greet-1", "-f", "greet", "--arg", "World");

    expect(ended).toEqual({
      code: 0,
      out: "HELLO WORLD\n",
      err: "Waiting for greet-1; Ctrl-C ends the waiting, not the work.\n",
    });
  });

  test("prints values that JSON cannot carry for people, and as JSON text for programs", async () => {
    const people = await wait("big-1", "-f", "big");
    const program = await wait("big-1", "-f", "big", "--json");

    expect(people.out).toBe("{ n: 1180591620717411303424n, text: 'a\\nb' }\n");
    expect(program.out).toBe('{"n":"1180591620717411303424","text":"a\\nb"}\n');
  });

  test("of a function that throws is exit code 1 with the reason, without its control codes", async () => {
    const ended = await wait("fail-1", "-f", "fail");

    expect(ended.code).toBe(1);
    expect(ended.out).toBe("");
    expect(ended.err).toMatch(/Error: fail-1 was rejected: TypeError: no way\n$/);
  });

  test("of a promise that somebody canceled says so", async () => {
    const words = ["nobody-1", "-f", "greet", "--target", "nobody"];
    await resonate(["invoke", ...words], { env });
    await resonate(["promises", "cancel", "nobody-1"], { env });

    const ended = await wait(...words);

    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(/Error: nobody-1 was canceled\n$/);
  });

  test("of a promise whose time is over says so", async () => {
    const ended = await wait("late-1", "-f", "greet", "--target", "nobody", "--timeout", "1ms");

    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(/Error: late-1 timed out\n$/);
  });

  test("of a call that nobody takes says what to check, and goes on waiting", async () => {
    const words = ["invoke", "lonely-1", "-f", "greet", "--target", "nobody", "--wait"];
    const waiting = new RunningCommand(words, { env });

    await waiting.until(/Nobody has taken lonely-1 yet\. Is a worker of group 'nobody' run/, "err");
    await resonate(["promises", "resolve", "lonely-1", "--json-value", "1"], { env });

    expect(await waiting.ended).toMatchObject({ code: 0, out: "1\n" });
  });

  test("of a function that the worker does not have asks after it", async () => {
    const waiting = new RunningCommand(["invoke", "typo-1", "-f", "gret", "--wait"], { env });

    await waiting.until(/typo-1 was taken \d times, .* register 'gret'\?/, "err");
    await resonate(["promises", "cancel", "typo-1"], { env });

    expect((await waiting.ended).code).toBe(1);
  });
});

describe("tree", () => {
  test("prints a run with what it called, and marks what others may share", async () => {
    await wait("greet-2", "-f", "greet", "--arg", "Ada");

    const { code, out } = await resonate(["tree", "greet-2"], { env });

    expect(code).toBe(0);
    expect(out.replaceAll(/ [\d.]+m?s/g, " T").split("\n")).toEqual([
      "greet-2 🟢 (greet) T",
      "├── greet-2:0 🟢 (run compose) T",
      "└── shout-Ada 🟢 (rpc shout) T (shared)",
      "",
    ]);
  });

  test("of one that does not exist is exit code 1", async () => {
    const ended = await resonate(["tree", "nothing"], { env });

    expect(ended).toMatchObject({ code: 1, out: "" });
    expect(ended.err).toMatch(/^Error: .*not found.*\n$/i);
  });
});
