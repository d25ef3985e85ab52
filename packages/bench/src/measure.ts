/** Measures one side, of those that need nothing more than the repository: `measure.ts JOB`. */
import { openDisk, openPost, openSqlite } from "./limits.ts";
import { measure } from "./measuring.ts";
import { file, memory, official, server } from "./ours.ts";

await measure({
  disk: { open: openDisk },
  sqlite: { open: openSqlite },
  post: { open: openPost },
  official,
  memory,
  file,
  server,
  postgres: server,
});
