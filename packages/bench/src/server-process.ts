/** A server in a process of its own, on the file that is its argument; it ends when its parent lets go of it. */
import { keepHeapSmall, readSettings, serve } from "@resonate-ts/server";

keepHeapSmall(); // As the command does.
const [path = ""] = process.argv.slice(2);
const flags = { "server.port": "0", "storage.sqlite.path": path, level: "warn" };
const server = await serve(readSettings({ flags }));
process.send?.(server.url);
// Asked how it is, it says how much memory it has taken at most.
process.on("message", () => process.send?.(process.resourceUsage().maxRSS));
process.on("disconnect", () => {
  void server.close().then(() => process.exit());
});
