/** Measures one of the peers that are installed in this folder: `measure.ts JOB`. */
import { measure } from "../src/measuring.ts";
import { dbos } from "./dbos.ts";
import { restate } from "./restate.ts";

await measure({ restate, dbos });
