/** A real server in a process of its own: says its URL on a line, and goes on until it is killed. */
import { openEngine } from "../../src/open.ts";
import { serve } from "../../src/serve.ts";
import { readSettings } from "../../src/settings.ts";

/** Claims outlast a restart, and so does every history: nothing ends but by what a client asks. */
const RESTART_GRACE_MS = 3_600_000;

const [type, place] = process.argv.slice(2);
if (type === undefined || place === undefined) throw new Error("usage: TYPE PATH|URL");
const settings = readSettings({
  flags: {
    level: "error",
    "server.port": "0",
    "storage.type": type,
    ...(type === "postgres"
      ? { "storage.postgres.url": place }
      : { "storage.sqlite.path": place, "storage.sqlite.synchronous": "normal" }),
  },
});
const { url, failed } = await serve(settings, {
  open: (options) =>
    openEngine({ ...options, restartGraceMs: RESTART_GRACE_MS, breakCycles: false }),
});
failed.catch((error) => {
  process.stderr.write(`${error}\n`);
  process.exit(1);
});
process.stdout.write(`${url}\n`);
