import { createServer } from "node:http";
import type { ExecutionNode } from "@resonate-ts/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { followRun } from "../src/follow.ts";
import { NothingToSee } from "../src/insight.ts";
import { listening } from "./fake-server.ts";

const node: ExecutionNode = {
  id: "r",
  kind: "root",
  state: "pending",
  createdAt: 1,
  timeoutAt: 9,
  paramBytes: 0,
  valueBytes: 0,
};
const resolved = { ...node, state: "resolved" } as const;
const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const reset = event("reset", {});

/** What each stream that is opened says before it ends; after the last there is nothing at the address. */
let streams: string[];
/** What each reading of the run finds; the last stays. */
let runs: ExecutionNode[];
let asked: string[];
let url: string;
const server = createServer((request, response) => {
  const path = request.url ?? "";
  asked.push(path);
  if (path.startsWith("/ui/api/events?id=r")) {
    const said = streams.shift();
    if (said === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "Content-Type": "text/event-stream" }).end(said);
    return;
  }
  const [first = node] = runs;
  if (runs.length > 1) runs.shift();
  response.end(JSON.stringify({ root: "r", at: 5, nodes: [first], edges: [] }));
});

beforeEach(async () => {
  asked = [];
  url = await listening(server);
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

async function seen(): Promise<readonly string[]> {
  const found: string[] = [];
  const stop = new AbortController();
  try {
    for await (const one of followRun({ url }, "r", stop.signal)) {
      if (one.kind === "lost") found.push("lost");
      const nodes = one.kind === "run" ? one.run.nodes : one.kind === "changes" ? one.nodes : [];
      found.push(...nodes.map(({ id, state }) => `${one.kind} ${id} ${state}`));
    }
  } catch (error) {
    found.push(error instanceof NothingToSee ? error.message : String(error));
  }
  return found;
}

describe("a run that is followed", () => {
  test("is read once its stream is open, and told as it changes", async () => {
    streams = [`: hello\n\n${event("workers", [])}${event("nodes", [resolved])}`];
    runs = [node];

    const found = await seen();

    expect(found.slice(0, 3)).toEqual(["run r pending", "changes r resolved", "lost"]);
    expect(asked.slice(0, 2)).toEqual(["/ui/api/events?id=r", "/ui/api/tree?id=r"]);
  });

  test("is read again when events were left out, and when the stream broke", async () => {
    streams = [reset, ""];
    runs = [node, { ...node, id: "again" }, resolved];

    const found = await seen();

    expect(found).toEqual([
      "run r pending",
      "run again pending",
      "lost",
      "run r resolved",
      "lost",
      "r is not there any more",
    ]);
  });

  test("is not told by a server that has no such thing", async () => {
    streams = [];

    expect(await seen()).toEqual([expect.stringContaining("does not tell this")]);
  });
});
