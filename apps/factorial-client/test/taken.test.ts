import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { isUntaken, whenNobodyTakes } from "../src/taken.ts";

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

/** A server that answers every request with this body. */
async function answering(body: unknown): Promise<string> {
  server = createServer((_, response) => response.end(JSON.stringify(body)));
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  // A server that listens on a port has an address with a port.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each([
  ["pending", 0, true],
  // Given back, or its worker was killed.
  ["pending", 1, false],
  ["acquired", 1, false],
  ["suspended", 1, false],
])("a call that is %s and was taken %i times: untaken is %s", async (state, version, untaken) => {
  const url = await answering({ data: { task: { id: "c", state, version } } });
  expect(await isUntaken({ server: url, id: "c" })).toBe(untaken);
});

test("a server that does not say is no server that says nobody took it", async () => {
  const url = await answering({ data: "who are you?" });
  await expect(isUntaken({ server: url, id: "c" })).rejects.toThrow();
});

test("nothing is said once there is an answer", async () => {
  let said = 0;
  const answered = AbortSignal.abort();
  await whenNobodyTakes({ server: "http://127.0.0.1:1", id: "c" }, answered, () => said++);
  expect(said).toBe(0);
});
