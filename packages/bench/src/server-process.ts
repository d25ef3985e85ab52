/** A server in a process of its own, on the file that is its argument; it ends when its parent lets go of it. */
import { readSettings, serve } from "@resonate-ts/server";

const [path = ""] = process.argv.slice(2);
const flags = { "server.port": "0", "storage.sqlite.path": path, level: "warn" };
const server = await serve(readSettings({ flags }));
process.send?.(server.url);
process.on("disconnect", () => {
  void server.close().then(() => process.exit());
});
