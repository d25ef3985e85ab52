import { expect, test } from "vitest";
import { listenForAcknowledgements } from "../src/acknowledge.ts";

async function open(seen: (promise: string) => Promise<unknown>) {
  return listenForAcknowledgements({ port: 0, secret: "secret", seen });
}

async function post(url: string): Promise<number> {
  return (await fetch(url, { method: "POST" })).status;
}

test("the address of a promise settles that promise, also when it is asked again", async () => {
  const settled: string[] = [];
  const acknowledgements = await open(async (promise) => settled.push(promise));
  const url = acknowledgements.urlOf("notify-1:3.0");

  expect(await post(url)).toBe(204);
  expect(await post(url)).toBe(204);

  expect(settled).toEqual(["notify-1:3.0", "notify-1:3.0"]);
  await acknowledgements.close();
});

test("addresses that were made up, and other methods, settle nothing", async () => {
  const settled: string[] = [];
  const acknowledgements = await open(async (promise) => settled.push(promise));
  const url = acknowledgements.urlOf("notify-1:3.0");

  expect(await post(url.replace("notify-1", "notify-2"))).toBe(404);
  expect(await post(url.slice(0, -1))).toBe(404);
  expect(await post(`${url}%`)).toBe(404);
  expect(await post(url.replace("notify-1", "%E0%A4%A"))).toBe(404);
  expect((await fetch(url)).status).toBe(404);

  expect(settled).toEqual([]);
  await acknowledgements.close();
});

test("what cannot be put on record is to be tried again", async () => {
  const acknowledgements = await open(() => Promise.reject(new Error("no server")));
  expect(await post(acknowledgements.urlOf("p"))).toBe(503);
  await acknowledgements.close();
});

test("behind a proxy, devices are told its address", async () => {
  const acknowledgements = await listenForAcknowledgements({
    port: 0,
    url: "https://shop.example.com/notifications/",
    secret: "secret",
    seen: async () => {},
  });
  expect(acknowledgements.urlOf("a:0")).toMatch(
    /^https:\/\/shop\.example\.com\/notifications\/seen\/a%3A0\/[\w-]{43}$/,
  );
  await acknowledgements.close();
});
