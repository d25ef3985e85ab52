/** Texts that came from elsewhere do nothing to a terminal, and the token is never repeated. */
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resonate } from "./command.ts";
import { type Asked, listening } from "./fake-server.ts";

/** Clears the screen, goes back in the line, turns the direction, sets the title, and begins lines. */
const EVIL = "\u001b[2J\u001b[31mx\r\u202ey\u009b1;1H\u001b]0;title\u0007\n\u2028\u0085\u0000z";
const TOKEN = "canary-5f1e0c";

const task = { id: EVIL, state: "halted", version: 1, resumes: 0, cause: EVIL };
const payload = { data: Buffer.from(JSON.stringify({ func: EVIL })).toString("base64") };
const promise = {
  id: EVIL,
  state: "rejected",
  param: payload,
  value: payload,
  tags: { [EVIL]: EVIL, "resonate:target": EVIL, "resonate:origin": EVIL },
  timeoutAt: 9,
  createdAt: 1,
  settledAt: 2,
};
const node = { ...promise, kind: "root", func: EVIL, task: { ...task, pid: EVIL } };
const schedule = { id: EVIL, cron: EVIL, promiseId: EVIL };
const why = {
  id: EVIL,
  at: 1,
  verdict: "stuck",
  reasons: [{ code: "halted", text: EVIL, ids: [EVIL] }],
};
const groups = [
  {
    group: EVIL,
    pending: { count: 1 },
    workers: [{ id: EVIL, holds: 1, functions: [{ name: EVIL, versions: [1] }] }],
  },
];

/** What every request is answered with: each command takes of it what it knows. */
const everything = {
  ...{ promise, task, schedule, promises: [promise], tasks: [task], schedules: [schedule] },
  preload: [promise],
};
const views: Readonly<Record<string, unknown>> = {
  why,
  workers: groups,
  tree: { root: EVIL, at: 1, nodes: [node, { ...node, id: "a" }], edges: [] },
};

let refusing = false;
let url: string;
const server = createServer(async (request, response) => {
  const [, view] = /^\/ui\/api\/(\w+)/.exec(request.url ?? "") ?? [];
  if (view === "events") return response.writeHead(200).write(": open\n\n");
  if (view !== undefined) return response.end(JSON.stringify(views[view]));
  if (request.method === "GET") return response.writeHead(404).end();
  const { kind, head } = (await json(request)) as Asked;
  const said = `${EVIL} you said ${request.headers.authorization}`;
  const [status, data] = refusing ? [403, said] : [200, everything];
  return response.end(
    JSON.stringify({ kind, head: { corrId: head["corrId"], status, version: "2026-04-01" }, data }),
  );
});
beforeAll(async () => {
  url = await listening(server);
});
afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

const VERBS = [
  ["list"],
  ["tree", "a"],
  ["tree", "a", "--watch"],
  ["watch", "a"],
  ["why", "a"],
  ["workers"],
  ["retry", "a"],
  ["invoke", "a", "-f", "f"],
  ["invoke", "a", "-f", "f", "--wait"],
  ["promises", "get", "a"],
  ["promises", "search"],
  ["tasks", "get", "a"],
  ["schedules", "get", "a"],
];

/** Everything that does something in a terminal, but the ends of lines. */
const CONTROL = /(?!\n)[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u;

test.each(VERBS.map((words) => [words]))("%j prints no control character", async (words) => {
  refusing = false;
  const env = { RESONATE_URL: url, RESONATE_TOKEN: TOKEN };

  const { out, err } = await resonate(words, { env });

  expect(out + err).not.toMatch(CONTROL);
  // It was there to be printed.
  expect(out + err).toContain("z");
  expect(out + err).not.toContain(TOKEN);
});

test.each([[["list"]], [["tree", "a"]], [["why", "a"]], [["cancel", "a", "--tree"]]])(
  "%j, refused, repeats no token",
  async (words) => {
    refusing = true;

    const { code, out, err } = await resonate([...words, "-S", url, "--token", TOKEN]);

    expect(out + err).not.toMatch(CONTROL);
    expect(out + err).not.toContain(TOKEN);
    expect(code).toBe(1);
  },
);

test("a token that no header can carry is refused, and not repeated", async () => {
  for (const token of [`${TOKEN} x`, `${TOKEN}\n`, `${TOKEN}ü`]) {
    const { code, err } = await resonate(["promises", "get", "a", "-S", url, "--token", token]);

    expect([code, err]).toEqual([2, expect.stringMatching(/^Error: the token [^\n]*\n$/)]);
    expect(err).not.toContain(TOKEN);
  }
});
