import { Resonate, silentLogger } from "@resonate-ts/sdk";
import { programs } from "./programs.ts";

export type Place = { readonly url: string } | { readonly path: string } | object;

/** Our SDK with the measured programs: at a server, in a file, or in memory. */
export function connect(place: Place): Resonate {
  const resonate = client(place);
  for (const [name, program] of Object.entries(programs)) resonate.register(name, program);
  return resonate;
}

/** One that runs nothing. */
export function client(place: Place): Resonate {
  const group = "url" in place ? { group: "bench", defaultTarget: "bench" } : {};
  return new Resonate({ ...place, ...group, logger: silentLogger });
}
