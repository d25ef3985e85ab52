import { describe, expect, test } from "vitest";
import { isResonateError } from "../../src/errors.ts";
import { Registry } from "../../src/registry.ts";

const one = () => 1;
const two = () => 2;

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return isResonateError(error) ? error.code : undefined;
  }
  return undefined;
}

describe("finding", () => {
  test("by name or function gives the highest version, whatever the order", () => {
    const registry = new Registry();
    registry.register("f", two, { version: 10 });
    registry.register("f", one, { version: 9 });

    expect(registry.get("f")).toEqual({ name: "f", version: 10, fn: two });
    expect(registry.get("f", 0)?.version).toBe(10);
    expect(registry.get("f", 9)?.fn).toBe(one);
    expect(registry.get(one)?.version).toBe(9);
    expect(registry.versions("f")).toEqual([9, 10]);
  });

  test("what is not there gives nothing", () => {
    const registry = new Registry();
    registry.register("f", one);

    expect(registry.get("g")).toBeUndefined();
    expect(registry.get(two)).toBeUndefined();
    expect(registry.get("f", 2)).toBeUndefined();
    expect(registry.get("constructor")).toBeUndefined();
    expect(registry.versions("g")).toEqual([]);
    expect(registry.names()).toEqual(["f"]);
  });

  test("a key is kept", () => {
    const key = (n: number) => `factorial-${n}`;

    expect(new Registry().register("factorial", one, { key }).key).toBe(key);
  });
});

describe("refusing", () => {
  test("the same version of a name, and of a function, twice", () => {
    const registry = new Registry();
    registry.register("f", one);

    expect(codeOf(() => registry.register("f", two))).toBe("ALREADY_REGISTERED");
    expect(codeOf(() => registry.register("g", one))).toBe("ALREADY_REGISTERED");
    expect(codeOf(() => registry.register("f", one, { version: 2 }))).toBeUndefined();
  });

  test.each([0, -1, 1.5, Number.NaN])("version %d", (version) => {
    expect(codeOf(() => new Registry().register("f", one, { version }))).toBe("VERSION_INVALID");
  });

  test("no name, and no function", () => {
    expect(codeOf(() => new Registry().register("", one))).toBe("NAME_REQUIRED");
    const noFunction = 1 as unknown as typeof one;
    expect(codeOf(() => new Registry().register("f", noFunction))).toBe("ARGUMENT_INVALID");
  });
});
