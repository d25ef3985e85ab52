/** A process that writes promises to a file whose log is moved often, and names each when it is on the disk. */

import { SqliteStore } from "../../src/stores/sqlite/sqlite-store.ts";
import { rows } from "./checkpointed-rows.ts";

const [path = "", countText = "", last = ""] = process.argv.slice(2);
const store = new SqliteStore({ path, synchronous: "full", checkpointPages: 20 });
for (let from = 0; from < Number(countText); from += 4) {
  const ids = [0, 1, 2, 3].map((at) => `p${from + at}`);
  await store.transaction((tx) => tx.write(rows(ids)), 1);
  process.stdout.write(`${ids.join("\n")}\n`);
}
if (last === "close") await store.close();
process.stdout.write("end\n");
