import { expect, test } from "vitest";
import { Resonate, silentLogger } from "../../src/index.ts";
import { ServerTime } from "../../src/network/server-time.ts";
import { recordingLogger } from "../core/world.ts";
import { FakeServer } from "./fake-server.ts";

const NOW = Date.UTC(2030, 0, 1);
const at = (ms: number) => new Date(ms).toUTCString();

function listen() {
  const { logger, logged } = recordingLogger();
  return { time: new ServerTime(logger), logged };
}

test.each([
  ["at once", NOW, NOW],
  ["a second's fraction later", NOW + 999, NOW + 999],
  ["after a minute on the way there", NOW - 60_000, NOW],
  ["after a minute on the way back", NOW, NOW + 60_000],
])("an answer that comes %s tells of no difference", (_how, askedAt, receivedAt) => {
  const { time, logged } = listen();

  time.heard(at(NOW), { askedAt, receivedAt });

  expect(time.aheadMs).toBe(0);
  expect(logged).toEqual([]);
});

test.each([300_000, -300_000, 3_000, -3_000])(
  "a clock that is %d ms off is seen, and said once",
  (offMs) => {
    const { time, logged } = listen();
    for (let ms = 0; ms < 10_000; ms += 100) {
      time.heard(at(NOW + ms + offMs), { askedAt: NOW + ms, receivedAt: NOW + ms + 10 });
      expect(Math.abs(time.aheadMs - offMs)).toBeLessThanOrEqual(2_000);
    }

    expect(logged.map(({ level }) => level)).toEqual(["warn"]);
  },
);

test("a clock that is set right again is followed", () => {
  const { time } = listen();
  time.heard(at(NOW + 300_000), { askedAt: NOW, receivedAt: NOW });
  time.heard(at(NOW), { askedAt: NOW, receivedAt: NOW });

  expect(time.aheadMs).toBe(0);
});

test("an answer without a date, or with none that can be read, changes nothing", () => {
  const { time } = listen();
  time.heard(undefined, { askedAt: NOW, receivedAt: NOW });
  time.heard("yesterday", { askedAt: NOW, receivedAt: NOW });

  expect(time.aheadMs).toBe(0);
});

test("deadlines go by the server's clock from the first request on", async () => {
  const server = await FakeServer.start({
    aheadMs: 300_000,
    reply: () => ({ status: 404, data: "no" }),
  });
  const resonate = new Resonate({ url: server.url, logger: silentLogger });

  await resonate.rpc("w", "fn", resonate.options({ timeout: 60_000 })).catch(() => {});
  await resonate.stop();
  await server.close();

  const [creation] = server.requests;
  const timeoutAt = creation && "timeoutAt" in creation.data ? creation.data.timeoutAt : 0;
  expect(Math.abs(timeoutAt - (Date.now() + 360_000))).toBeLessThan(30_000);
});
