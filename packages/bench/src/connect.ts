import { Resonate, silentLogger } from "@resonate-ts/sdk";
import { functions } from "./workloads.ts";

/** Our SDK with the measured functions: at a server, in a file, or in memory. */
export function connect(where: { readonly url: string } | { readonly path: string } | object) {
  const place = "url" in where ? { group: "bench", defaultTarget: "bench" } : {};
  const resonate = new Resonate({ ...where, ...place, logger: silentLogger });
  // The functions are written for either SDK, so their context is not ours by type.
  for (const [name, fn] of Object.entries(functions)) resonate.register(name, fn as never);
  return resonate;
}
