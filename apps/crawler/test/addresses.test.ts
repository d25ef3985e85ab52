import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent, fetch } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ConnectorOptions, guardedConnector, isPublic } from "../src/addresses.ts";

test.each([
  ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254"],
  ...["172.16.0.1", "172.31.255.255", "192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255"],
  ...["::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fd00::1", "ff02::1"],
  ...["64:ff9b::7f00:1", "2002:7f00:1::"],
])("%s is not a public address", (address) => {
  expect(isPublic(address)).toBe(false);
});

test.each([
  ...[
    "1.1.1.1",
    "9.255.255.255",
    "100.63.255.255",
    "172.15.255.255",
    "172.32.0.1",
    "223.255.255.255",
  ],
  ...["2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1"],
])("%s is a public address", (address) => {
  expect(isPublic(address)).toBe(true);
});

let server: Server;
let port: number;
let requests: number;
const agents: Agent[] = [];

beforeEach(async () => {
  requests = 0;
  server = createServer((_, response) => {
    requests++;
    response.end("here");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on a port has an address with a port.
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function get(url: string, options: ConnectorOptions): Promise<string> {
  const dispatcher = new Agent({ connect: guardedConnector(options) });
  agents.push(dispatcher);
  try {
    return await (await fetch(url, { dispatcher })).text();
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return cause instanceof Error ? cause.name : String(error);
  }
}

test.each(["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])(
  "no connection is made to %s",
  async (host) => {
    expect(await get(`http://${host}:${port}/`, { allowPrivate: false })).toBe(
      "ForbiddenAddressError",
    );
    expect(requests).toBe(0);
  },
);

test.each(["127.0.0.1", "localhost"])("%s is connected to when that is allowed", async (host) => {
  expect(await get(`http://${host}:${port}/`, { allowPrivate: true })).toBe("here");
});

test("the own site is reached by its name, and nothing else on loopback is", async () => {
  const options = { allowPrivate: false, ownSite: { host: "sample.test", port } };
  expect(await get("http://sample.test/", options)).toBe("here");
  expect(await get(`http://127.0.0.1:${port}/`, options)).toBe("ForbiddenAddressError");
});
