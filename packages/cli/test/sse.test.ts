import { expect, test } from "vitest";
import { readEvents, type ServerEvent } from "../src/sse.ts";

async function eventsIn(...chunks: readonly string[]) {
  const bytes = chunks.map((chunk) => Uint8Array.from(Buffer.from(chunk, "latin1")));
  const events: ServerEvent[] = [];
  for await (const event of readEvents(ReadableStream.from(bytes))) events.push(event);
  return events;
}

const latin = (text: string) => Buffer.from(text, "utf8").toString("latin1");

test("events have a name, or none, and data; comments and other fields are left out", async () => {
  const text =
    ": hello\n\nevent: nodes\nid: 7\ndata: [1]\n\ndata:[2]\r\ndata: 3\r\n\r\nevent: x\n\n";

  expect(await eventsIn(text)).toEqual([
    { event: "nodes", data: "[1]" },
    { event: "message", data: "[2]\n3" },
  ]);
});

test("where the bytes are cut does not matter, nor that lines are separated otherwise elsewhere", async () => {
  const text = latin("data: über 🟢\u2028\u0085 x\r\n\r\n");

  expect(await eventsIn(...text)).toEqual([{ event: "message", data: "über 🟢\u2028\u0085 x" }]);
});

test("what is not ended is no event", async () => {
  expect(await eventsIn("data: 1\n")).toEqual([]);
});
