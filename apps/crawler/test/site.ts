/** A server of a test's own. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

export interface TestServer {
  readonly port: number;
  /** Connections that were made, whether or not anything was asked. */
  readonly connections: () => number;
  close(): Promise<void>;
}

export async function serve(answer: RequestListener, address = "127.0.0.1"): Promise<TestServer> {
  const server = createServer(answer);
  let connections = 0;
  server.on("connection", () => connections++);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, address, resolve);
  });
  // A server that listens on a port has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    connections: () => connections,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
