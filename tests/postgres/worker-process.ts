/** A worker in a process of its own, to be killed: the server's URL, and the group. */
import { worker } from "./sums.ts";

const [url = "", group = ""] = process.argv.slice(2);

process.stdout.write(`serves ${group}\n`);
worker(url, group);
