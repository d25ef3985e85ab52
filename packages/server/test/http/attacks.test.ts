/**
 * Many clients that mean harm, or are many: with a real server, as it is started. `ATTACKS=full` has as many of them, and
 * for as long, as it is meant to stand; then times and memory are looked at too.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ServerProcess } from "../faults/server-process.ts";

const FULL = process.env["ATTACKS"] === "full";
const SLOW_HEADS = FULL ? 2_000 : 200;
const SLOW_BODIES = FULL ? 500 : 50;
const IDLE = FULL ? 500 : 50;
const ATTACK_MS = FULL ? 40_000 : 2_000;
/** One byte in so many ms from each. */
const BYTE_MS = 10_000;
const HEALTHY_P99_MS = 50;
const RECOVERED_MS_MAX = 10_000;
/** Requests in a row that are answered in time again, after the attack. */
const REQUESTS_IN_TIME = 50;
const STREAMS = FULL ? 5_000 : 500;
const STORM = STREAMS / 5;
const BYTES_PER_STREAM_MAX = 50 * 1_024;

let folder: string;
let server: ServerProcess;
const sockets = new Set<Socket>();
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "resonate-attacks-"));
  const flags = ["--transports-http-poll-max-connections", String(STREAMS)];
  server = await ServerProcess.start(join(folder, "test.db"), [], flags);
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server.kill();
  rmSync(folder, { recursive: true });
});

function open(): Socket {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  sockets.add(socket);
  socket.on("error", () => {});
  socket.once("close", () => sockets.delete(socket));
  return socket;
}

/** Requests one after the other, while `goesOn`; how long each took, in ms. */
async function healthy(goesOn: () => boolean): Promise<readonly number[]> {
  const latencies: number[] = [];
  while (goesOn()) {
    const startedAt = performance.now();
    const { status } = await server.ask("promise.get", { id: "absent" });
    latencies.push(performance.now() - startedAt);
    expect(status).toBe(404);
  }
  return latencies.sort((one, other) => one - other);
}

/** True the first time. */
function once(): () => boolean {
  let asked = 0;
  return () => asked++ === 0;
}

const p99 = (sorted: readonly number[]) => sorted[Math.floor(sorted.length * 0.99)] ?? 0;

/** Comes again when it is let go, until `goesOn` is false. */
function attack(text: string, goesOn: () => boolean, letGo: () => void): void {
  const socket = open();
  socket.write(text);
  const drip = setInterval(() => socket.write("x"), BYTE_MS);
  socket.resume().once("close", () => {
    clearInterval(drip);
    if (!goesOn()) return;
    letGo();
    attack(text, goesOn, letGo);
  });
}

test(`${SLOW_HEADS} slow heads, ${SLOW_BODIES} slow bodies and ${IDLE} idle connections keep nobody from being served`, async () => {
  let over = false;
  let letGo = 0;
  const goesOn = () => !over;
  const counted = () => {
    letGo++;
  };
  for (let at = 0; at < SLOW_HEADS; at++) {
    attack("POST / HTTP/1.1\r\nHost: x\r\nX: ", goesOn, counted);
  }
  for (let at = 0; at < SLOW_BODIES; at++) {
    attack(
      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n{",
      goesOn,
      counted,
    );
  }
  for (let at = 0; at < IDLE; at++) open().write("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  const until = performance.now() + ATTACK_MS;

  const during = await healthy(() => performance.now() < until);

  over = true;
  for (const socket of sockets) socket.destroy();
  const endedAt = performance.now();
  let inTime = 0;
  while (inTime < REQUESTS_IN_TIME) {
    const [latency = 0] = await healthy(once());
    inTime = latency < HEALTHY_P99_MS ? inTime + 1 : 0;
    expect(performance.now() - endedAt).toBeLessThan(RECOVERED_MS_MAX);
  }
  expect(during.length).toBeGreaterThan(10);
  if (FULL) {
    const recoveredMs = performance.now() - endedAt;
    report({ p99: p99(during), requests: during.length, letGo, recoveredMs });
    expect(letGo).toBeGreaterThan(SLOW_HEADS);
    expect(p99(during)).toBeLessThan(HEALTHY_P99_MS);
  }
}, 120_000);

/** The first line of the answer to the opening of a stream. */
function stream(id: string): { readonly socket: Socket; readonly answered: Promise<string> } {
  const socket = open();
  socket.write(
    `GET /poll/g/${id} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`,
  );
  const answered = new Promise<string>((resolve) => {
    socket.once("data", (data) => {
      resolve(data.toString().split("\r\n")[0] ?? "");
      socket.resume();
    });
    socket.once("close", () => resolve("closed"));
  });
  return { socket, answered };
}

async function openStreams(ids: readonly string[]): Promise<readonly Socket[]> {
  const opened = ids.map(stream);
  expect(new Set(await Promise.all(opened.map(({ answered }) => answered)))).toEqual(
    new Set(["HTTP/1.1 200 OK"]),
  );
  return opened.map(({ socket }) => socket);
}

/** As many streams as the server knows of. */
async function untilOpen(count: number): Promise<void> {
  const wanted = new RegExp(`^resonate_connections ${count}$`, "m");
  for (;;) {
    if (wanted.test(await (await fetch(`${server.url}/metrics`)).text())) return;
    await sleep(20);
  }
}

test(`${STREAMS} streams, and ${STORM} of them again at once: all are served, and none costs much`, async () => {
  const ids = Array.from({ length: STREAMS }, (_, at) => `p${at}`);
  await openStreams(ids.slice(0, 100));
  const before = server.residentBytes;

  const streams = await openStreams(ids.slice(100));
  await untilOpen(STREAMS);
  const bytes = (server.residentBytes - before) / (STREAMS - 100);

  expect(await stream("one-more").answered).toMatch(/^HTTP\/1.1 503 /);
  for (const socket of streams.slice(0, STORM)) socket.destroy();
  await untilOpen(STREAMS - STORM);
  const [again] = await openStreams(ids.slice(100, 100 + STORM));
  await untilOpen(STREAMS);
  const told = new Promise<string>((resolve) => again?.once("data", (data) => resolve(`${data}`)));
  const tags = { "resonate:target": "poll://uni@g/p100" };
  await server.ask("promise.create", { id: "work", timeoutAt: 8e15, tags });
  expect(await told).toContain('"work"');
  if (FULL) {
    report({ bytesPerStream: Math.round(bytes), mebibytes: server.residentBytes / 1_048_576 });
    expect(bytes).toBeLessThan(BYTES_PER_STREAM_MAX);
  }
}, 120_000);

function report(numbers: Readonly<Record<string, number>>): void {
  process.stderr.write(`${JSON.stringify(numbers)}\n`);
}
