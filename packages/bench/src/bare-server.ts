/** An HTTP server that does nothing but commit: what arrives in one turn shares a commit. In a process of its own. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { BareTable } from "./limits.ts";
import { remove, temporaryFolder } from "./temporary-folder.ts";

const folder = temporaryFolder();
const table = new BareTable(join(folder, "bare.db"));
let waiting: { readonly text: string; readonly response: ServerResponse }[] = [];

const server = createServer((request, response) => {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => {
    text += chunk;
  });
  request.on("end", () => {
    if (waiting.length === 0) setImmediate(flush);
    waiting.push({ text, response });
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo; // It listens on a port.
  process.send?.(port);
});
process.on("disconnect", () => {
  table.close();
  remove(folder);
  process.exit();
});

function flush(): void {
  const batch = waiting.map(({ text, response }) => ({ input: JSON.parse(text), response }));
  waiting = [];
  table.commit(batch.map(({ input }) => String(input.id)));
  for (const { input, response } of batch) {
    const body = JSON.stringify(input);
    const headers = {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
    };
    response.writeHead(200, headers).end(body);
  }
}
