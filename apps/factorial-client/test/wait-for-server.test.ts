import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { waitForServer } from "../src/wait-for-server.ts";

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

/** Something that answers every question with one of these statuses, the last one for ever. */
async function answering(...statuses: number[]): Promise<string> {
  server = createServer((_, response) => {
    const status = statuses.length > 1 ? statuses.shift() : statuses[0];
    response.writeHead(status ?? 500).end();
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  // A server that listens on a port has an address with a port.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("nothing is said when the server is there", async () => {
  let absences = 0;
  await waitForServer(await answering(200), () => absences++);
  expect(absences).toBe(0);
});

test("an absence is said once, however long it lasts", async () => {
  let absences = 0;
  await waitForServer(await answering(503, 503, 503, 200), () => absences++);
  expect(absences).toBe(1);
});
