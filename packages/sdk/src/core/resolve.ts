/** Finds the function that a call means. */
import type { DurableFunction } from "../context.ts";
import { ResonateError } from "../errors.ts";
import type { Registered, Registry } from "../registry.ts";

/** A function to be run here. */
export interface Callee {
  readonly name: string;
  readonly version: number;
  readonly fn: DurableFunction;
  readonly key?: ((...args: readonly unknown[]) => string) | undefined;
}

/**
 * The function of a local call: by name it must be registered, by value it need not be. `version` absent or 0
 * means the latest.
 *
 * @throws ResonateError `FUNCTION_NOT_REGISTERED` or `VERSION_NOT_REGISTERED`.
 */
export function calleeOf(
  fn: DurableFunction | string,
  version: number | undefined,
  registry: Registry,
): Callee {
  const registered = registry.get(fn, version);
  if (registered) return callable(registered);
  if (typeof fn === "string") throw notRegistered(fn, version, registry);
  const latest = registry.get(fn);
  if (latest) throw notRegistered(latest.name, version, registry);
  return { name: fn.name, version: version || 1, fn };
}

/**
 * The function of a call that runs anywhere: by value it must be registered here; by name it is looked up where
 * it runs, and what is registered here says the version.
 *
 * @throws ResonateError `FUNCTION_NOT_REGISTERED` or `VERSION_NOT_REGISTERED`.
 */
export function remoteCalleeOf(
  fn: DurableFunction | string,
  version: number | undefined,
  registry: Registry,
): { readonly name: string; readonly version: number; readonly key?: Callee["key"] } {
  if (typeof fn !== "string" && !registry.get(fn)) {
    throw new ResonateError(
      "FUNCTION_NOT_REGISTERED",
      `The function '${fn.name}' is not registered, so no other process could find it. Call resonate.register(${fn.name || "name, fn"}) first, or pass the name it is registered under.`,
    );
  }
  const registered = registry.get(fn, version);
  if (registered) return callable(registered);
  if (typeof fn !== "string") return calleeOf(fn, version, registry);
  const latest = registry.get(fn);
  return { name: fn, version: version || 1, ...(latest && { key: callable(latest).key }) };
}

/** The version that a record names, where the caller's is another one. */
export function registeredVersion(
  callee: Callee,
  version: number | undefined,
  registry: Registry,
): Callee {
  if (version === undefined || version === callee.version) return callee;
  const registered = registry.get(callee.name, version);
  if (registered) return callable(registered);
  throw notRegistered(callee.name, version, registry);
}

/** What to tell when a name, or a version of it, is not here. */
function notRegistered(
  name: string,
  version: number | undefined,
  registry: Registry,
): ResonateError {
  const versions = registry.versions(name);
  if (versions.length > 0) {
    return new ResonateError(
      "VERSION_NOT_REGISTERED",
      `Version ${version} of '${name}' is not registered in this process (it has ${versions.join(", ")}). Register it, or start a process that has it.`,
    );
  }
  const names = registry.names();
  const known = names.length > 0 ? `it has ${names.join(", ")}` : "it has none";
  return new ResonateError(
    "FUNCTION_NOT_REGISTERED",
    `No function '${name}' is registered in this process (${known}). Register it, or call it where it is registered with ctx.rpc and a target.`,
  );
}

function callable({ name, version, fn, call = fn, key }: Registered): Callee {
  // The registry keeps functions of any parameters; whoever calls knows the ones it has.
  return { name, version, fn: call as DurableFunction, key: key as Callee["key"] };
}
