/** The verbs about tasks, promises and schedules, on a real server. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../src/run.ts";
import { type Ended, RunningCommand, resonate } from "./command.ts";
import { memoryTerminal } from "./memory-terminal.ts";

let server: RunningCommand;
let env: { RESONATE_URL: string };

beforeAll(async () => {
  server = new RunningCommand(["dev", "--memory", "--server-port", "0"]);
  const [, url = ""] = await server.until(/listens on (\S+)\n/);
  env = { RESONATE_URL: url };
});
afterAll(async () => {
  server.kill("SIGTERM");
  expect((await server.ended).code).toBe(0);
});

/** Words are separated by spaces; what has spaces itself is given as a list. */
function ask(words: string, ...more: readonly string[]): Promise<Ended> {
  return resonate([...words.split(" "), ...more], { env });
}

/** What it printed, of a command that succeeded. */
async function printed(words: string, ...more: readonly string[]): Promise<string> {
  const ended = await ask(words, ...more);
  expect(ended).toMatchObject({ code: 0, err: "" });
  return ended.out;
}

/** The same as JSON, without instants. */
async function given(words: string, ...more: readonly string[]): Promise<unknown> {
  return JSON.parse(await printed(words, ...more, "--json"), (name, value) =>
    /At$/.test(name) && typeof value === "number" ? "T" : value,
  );
}

/** In this process, because a new one takes its time. */
async function expectRefused(words: readonly string[], code: number, message: string) {
  const terminal = memoryTerminal({ env });
  expect(await run(words, terminal)).toBe(code);
  expect(terminal.outs).toEqual([]);
  expect(terminal.errors).toHaveLength(1);
  expect(terminal.errors[0]).toContain(message);
}

const target = "poll://any@nobody";
const tags = JSON.stringify({ "resonate:target": target });
const settle = (id: string) =>
  JSON.stringify({ kind: "promise.settle", data: { id, state: "resolved" } });
const create = (id: string) =>
  JSON.stringify({ kind: "promise.create", data: { id, timeoutAt: 2 ** 50, tags: GLOBAL } });
const GLOBAL = { "resonate:scope": "global" };

describe("a task", () => {
  test("is created, beaten for, fenced, suspended, claimed again and completed", async () => {
    const claimed = await given("tasks create w --pid me --ttl 1m --timeout 1h --tags", tags);
    const beat = await given("tasks heartbeat --pid me --tasks", '[{"id":"w","version":1}]');
    const fenced = await given("tasks fence w --version 1 --action", create("x"));
    const action = { kind: "promise.register_callback", data: { awaited: "x", awaiter: "w" } };
    const parked = await given("tasks suspend w --version 1 --actions", JSON.stringify([action]));
    const waiting = await given("tasks get w");
    await printed("promises resolve x");
    const again = await given("task acquire w --pid other --version 1 --ttl 90s");
    const done = await given("tasks complete w --version 2 --action", settle("w"));
    const after = await given("tasks get w");

    expect(claimed).toEqual({
      task: { id: "w", state: "acquired", version: 1, resumes: 0, pid: "me", ttl: 60_000 },
      promise: expect.objectContaining({ id: "w", state: "pending", timeoutAt: "T" }),
      preload: [],
    });
    expect(beat).toEqual({});
    expect(fenced).toMatchObject({ action: { data: { promise: { id: "x" } } }, preload: [] });
    expect(parked).toEqual({});
    expect(waiting).toEqual({ id: "w", state: "suspended", version: 1, resumes: 0 });
    expect(again).toMatchObject({ task: { state: "acquired", version: 2, pid: "other" } });
    expect(done).toMatchObject({ promise: { id: "w", state: "resolved" } });
    expect(after).toEqual({ id: "w", state: "fulfilled", version: 2, resumes: 0 });
  });

  test("is released, halted, found, and continued", async () => {
    await printed("tasks create h --pid me --ttl 1m --timeout 1h --tags", tags);

    expect(await printed("tasks release h --version 1")).toBe("{}\n");
    expect(await printed("tasks halt h")).toBe(
      "h is halted: no worker is given it.\nLet it go on with: resonate tasks continue h\n",
    );
    expect(await given("tasks list --state halted")).toEqual({
      tasks: [{ id: "h", state: "halted", version: 1, resumes: 0 }],
    });
    expect(await printed("tasks get h")).toBe(
      '{\n  "id": "h",\n  "state": "halted",\n  "version": 1,\n  "resumes": 0\n}\n',
    );
    expect(await printed("tasks continue h")).toBe("h is offered to workers again.\n");
    expect(await given("tasks search --state halted")).toEqual({ tasks: [] });
  });

  test("that awaits what is settled is told so: exit code 1, and what to go on with", async () => {
    await printed("tasks create s --pid me --ttl 1m --timeout 1h --tags", tags);
    await printed("promises create s2 -t 1h --tags", JSON.stringify(GLOBAL));
    await printed("promises resolve s2");
    const action = { kind: "promise.register_callback", data: { awaited: "s2", awaiter: "s" } };

    const ended = await ask("tasks suspend s --version 1 --actions", JSON.stringify([action]));

    expect(ended).toMatchObject({ code: 1, out: "" });
    expect(ended.err).toMatch(/^Error: \{"preload":\[\{"id":"s2".*\n$/);
  });

  test.each([
    ["get nothing", 1, "Error: Task 'nothing' not found"],
    ["continue w", 1, "Error: Task 'w' is not halted"],
    ["get", 2, "missing required argument 'id'"],
    ["create t --pid me --ttl 60 --timeout 1h", 2, "--ttl must be a duration above zero"],
    ["create t --pid me --ttl 1m", 2, "required option '-t, --timeout <duration>'"],
    ["create t --pid me --ttl 1m --timeout 1h", 2, "resonate:target"],
    ["claim t --pid me --version x --ttl 1m", 2, "--version must be a whole number from 0"],
    ["fence t --version 1 --action []", 2, "--action must be a JSON object, got '[]'"],
    ["suspend t --version 1 --actions {}", 2, "--actions must be a JSON array, got '{}'"],
    ["heartbeat --pid me --tasks 1", 2, "--tasks must be a JSON array, got '1'"],
    ["heartbeat --pid me --tasks [1]", 2, "tasks"],
    ["search --state done", 2, "Allowed choices are pending, acquired, suspended, halted"],
    ["search --limit 0", 2, "--limit must be a whole number from 1 to 1000"],
  ])("'tasks %s' is exit code %i and one line", async (words, code, message) => {
    await expectRefused(["tasks", ...words.split(" ")], code, message);
  });
});

describe("a promise", () => {
  test("has callbacks and listeners registered", async () => {
    await printed("promises create p -t 1h --tags", JSON.stringify(GLOBAL));
    await printed("tasks create q --pid me --ttl 1m --timeout 1h --tags", tags);

    const promise = { id: "p", state: "pending" };
    expect(await given("promises register-callback p q")).toMatchObject(promise);
    expect(await given(`promises register-listener p ${target}`)).toMatchObject(promise);
    expect(await ask("promises register-listener p nowhere")).toMatchObject({ code: 2, out: "" });
  });
});

describe("cancel", () => {
  test("ends a promise once", async () => {
    await printed("promises create c -t 1h");

    expect(await printed("cancel c")).toBe("c is canceled.\n");
    expect(await given("cancel c")).toEqual({ id: "c", state: "rejected_canceled" });
    await printed("promises create d -t 1h");
    await printed("promises resolve d");
    expect(await printed("cancel d")).toBe("d had ended before (resolved).\n");
    expect((await ask("cancel nothing")).code).toBe(1);
  });

  test("with --tree takes what was started below, and leaves what has an id of its own", async () => {
    const below = (id: string, over = {}) => ({
      "resonate:origin": "top",
      "resonate:branch": id,
      "resonate:parent": "top",
      ...over,
    });
    await printed("invoke top -f f --target nobody");
    await printed("promises create top:0 -t 1h --tags", JSON.stringify(below("top:0")));
    await printed("promises create own -t 1h --tags", '{"resonate:caller":"top"}');

    const words = await printed("cancel top --tree");

    expect(words).toBe("top is canceled, with what was pending below it.\n");
    expect(await given("promises get top:0")).toMatchObject({ state: "rejected_canceled" });
    expect(await given("promises get own")).toMatchObject({ state: "pending" });
  });
});

describe("retry", () => {
  test("offers what is halted, and says of anything else that it is not", async () => {
    await printed("invoke r -f f --target nobody");
    const refused = await ask("retry r");
    await printed("tasks halt r");

    expect(refused).toEqual({
      code: 1,
      out: "",
      err: "Error: r is not halted: its task is pending\n",
    });
    expect(await printed("retry r")).toBe("r is offered to workers again. It had been halted.\n");
    expect(await given("tasks get r")).toMatchObject({ state: "pending" });
  });
});

describe("list", () => {
  test("prints runs and no steps, and what is halted", async () => {
    await printed("invoke list-1 -f greet --target nobody");
    await printed("invoke list-2 -f greet --target nobody");
    await printed(
      "promises create list-1:0 -t 1h --tags",
      '{"resonate:origin":"list-1","resonate:branch":"list-1","resonate:parent":"list-1"}',
    );
    await printed("promises resolve list-2");
    await printed("tasks halt list-1");

    const pending = (await printed("list --prefix list-")).replaceAll(/\) [\d.]+m?s/g, ") T");
    const all = await given("list --prefix list- --state any");
    const none = await printed("list --prefix nothing-");
    await printed("retry list-1");

    expect(pending).toBe(
      "list-1 🟡 (greet) T for poll://any@nobody\n" +
        "Halted: list-1\nWhy: resonate tasks get list-1\n",
    );
    expect(all).toEqual({
      runs: [
        { id: "list-1", state: "pending", func: "greet", target, createdAt: "T" },
        {
          id: "list-2",
          state: "resolved",
          func: "greet",
          target,
          createdAt: "T",
          settledAt: "T",
        },
      ],
      more: false,
      halted: ["list-1"],
    });
    expect(none).toBe("No such runs.\nHalted: list-1\nWhy: resonate tasks get list-1\n");
  });

  test("says when there may be more", async () => {
    expect(await printed("list --state any --limit 1")).toMatch(
      /\n… and there may be more: see --limit, --state and --prefix\n$/,
    );
    expect((await ask("list --limit 0")).code).toBe(2);
  });
});

describe("a schedule", () => {
  const words = "schedules create nightly --promise-id n-{{.timestamp}} --promise-timeout 1h";
  const more = ["--cron", "0 3 * * MON", "--promise-tags", tags];

  test("is created once, found and deleted", async () => {
    const param = '{"data":{"func":"f","args":[],"version":1}}';
    const created = await given(words, ...more, "--promise-param", param);
    const other = ["--cron", "1 1 1 1 *", "--promise-tags", tags];
    const again = await given(words, ...other);

    expect(created).toEqual({
      id: "nightly",
      cron: "0 3 * * MON",
      promiseId: "n-{{.timestamp}}",
      promiseTimeout: 3_600_000,
      promiseParam: { data: btoa('{"func":"f","args":[],"version":1}') },
      promiseTags: { "resonate:target": target },
      createdAt: "T",
      nextRunAt: "T",
    });
    expect(again).toEqual(created);
    expect(await given("schedule get nightly")).toEqual(created);
    expect(await given("schedules search --tags", tags)).toEqual({ schedules: [created] });
    expect(await printed("schedules delete nightly")).toBe(
      "Deleted nightly. The promises that it created stay.\n",
    );
    expect(await ask("schedules delete nightly")).toMatchObject({ code: 1, out: "" });
    expect(await given("schedules list")).toEqual({ schedules: [] });
  });

  test.each([
    ["a cron expression that is none", ["--cron", "often", "--promise-tags", tags], "cron"],
    ["no target", ["--cron", "0 3 * * *"], "--promise-tags must say who runs it"],
    [
      "a target that is none",
      ["--cron", "0 3 * * *", "--promise-tags", '{"resonate:target":"x"}'],
      "--promise-tags: resonate:target must be an address",
    ],
  ])("with %s is exit code 2 and one line", async (_name, flags, message) => {
    await expectRefused([...words.split(" "), ...flags], 2, message);
  });
});
