/** A worker in a process of its own: the server's URL. */
import { worker } from "./program.ts";

worker(process.argv[2] ?? "");
process.stdout.write("works\n");
