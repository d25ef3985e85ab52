/** The functions that this process can run, by name and version. */
import { ResonateError } from "./errors.ts";
import { checkedFunction, type InputSchema } from "./input.ts";

/** Any function that can be registered: its first parameter is the context. */
export type AnyFunction = (ctx: never, ...args: never[]) => unknown;

/** One version of a registered function. */
export interface Registered {
  readonly name: string;
  /** From 1. */
  readonly version: number;
  readonly fn: AnyFunction;
  /** Gives the id of a call from its arguments, so that equal calls share one result. */
  readonly key?: (...args: never[]) => string;
  /** `fn`, behind what it accepts; absent where it accepts anything. */
  readonly call?: AnyFunction;
}

export interface RegisterOptions {
  /** A whole number from 1. Default 1. */
  readonly version?: number | undefined;
  readonly key?: Registered["key"] | undefined;
  readonly input?: InputSchema | undefined;
}

export class Registry {
  readonly #byName = new Map<string, Map<number, Registered>>();
  readonly #byFunction = new Map<AnyFunction, Map<number, Registered>>();

  /**
   * Adds a function.
   *
   * @throws ResonateError `NAME_REQUIRED`, `ARGUMENT_INVALID` (not a function), `VERSION_INVALID`, or
   *   `ALREADY_REGISTERED` when this version of the name, or of the function, is there already.
   */
  register(
    name: string,
    fn: AnyFunction,
    { version = 1, key, input }: RegisterOptions = {},
  ): Registered {
    check(name, fn, version);
    const taken = this.#byName.get(name)?.get(version) ?? this.#byFunction.get(fn)?.get(version);
    if (taken) {
      throw new ResonateError(
        "ALREADY_REGISTERED",
        `Cannot register '${name}' version ${version}: '${taken.name}' version ${taken.version} is ${taken.fn === fn ? "this very function" : "registered already"}. Register changed code as another version.`,
      );
    }
    const call = input && checkedFunction(name, fn, input);
    const registered: Registered = {
      name,
      version,
      fn,
      ...(call && { call }),
      ...(key && { key }),
    };
    add(this.#byName, name, registered);
    add(this.#byFunction, fn, registered);
    return registered;
  }

  /** What is registered under a name, or as a function; the highest version unless one (above 0) is asked for. */
  get(nameOrFn: string | AnyFunction, version = 0): Registered | undefined {
    const versions =
      typeof nameOrFn === "string" ? this.#byName.get(nameOrFn) : this.#byFunction.get(nameOrFn);
    return versions?.get(version > 0 ? version : Math.max(...versions.keys()));
  }

  /** The versions registered under a name, ascending; empty when there are none. */
  versions(name: string): readonly number[] {
    return [...(this.#byName.get(name)?.keys() ?? [])].sort((a, b) => a - b);
  }

  /** Every name, in the order of registration. */
  names(): readonly string[] {
    return [...this.#byName.keys()];
  }
}

function check(name: string, fn: unknown, version: number): void {
  if (typeof name !== "string" || name === "") {
    throw new ResonateError(
      "NAME_REQUIRED",
      "A function is registered under a name: give the function one, or call register(name, fn).",
    );
  }
  if (typeof fn !== "function") {
    throw new ResonateError(
      "ARGUMENT_INVALID",
      `Cannot register '${name}': expected a function, got ${typeof fn}.`,
    );
  }
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new ResonateError(
      "VERSION_INVALID",
      `Cannot register '${name}': its version must be a whole number from 1, got ${String(version)}.`,
    );
  }
}

function add<K>(index: Map<K, Map<number, Registered>>, key: K, registered: Registered): void {
  const versions = index.get(key) ?? new Map<number, Registered>();
  index.set(key, versions.set(registered.version, registered));
}
