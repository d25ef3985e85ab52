import { deepStrictEqual } from "node:assert";
import type { Value } from "@resonate-ts/protocol";
import { Codec as OfficialCodec } from "@resonatehq/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCodec } from "../../src/codec/json-codec.ts";
import { ResonateError } from "../../src/errors.ts";

const codec = createCodec();
const official = new OfficialCodec();
/** `ROUND_TRIPS=1000000` for the long lane. */
const ROUND_TRIPS = Number(process.env.ROUND_TRIPS ?? 1_000);
const LONG_MS = 30_000 + ROUND_TRIPS;
const SEED = process.env.SEED ? { seed: Number(process.env.SEED) } : {};

/** Encoded by a codec without an async encryptor. */
function encode(value: unknown): Value {
  const encoded = codec.encode(value);
  if (encoded instanceof Promise) throw new Error("encoding must be sync here");
  return encoded;
}

function roundTrip(value: unknown): unknown {
  return codec.decode(encode(value));
}

function failure(work: () => unknown): ResonateError {
  try {
    work();
  } catch (error) {
    if (error instanceof ResonateError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** A value as it comes back from plain JSON: `-0` is not plain, so it is not made here. */
const plain = fc.jsonValue({ noUnicodeString: false }).filter((value) => {
  const text = JSON.stringify(value);
  return !text.includes("__") && !JSON.stringify([value], zeroes).includes("-zero");
});

function zeroes(_key: string, value: unknown): unknown {
  return Object.is(value, -0) ? "-zero" : value;
}

/** Anything that has a value of its own, nested, with keys and strings that try to be something else. */
const anything = fc.letrec((tie) => {
  const key = fc.oneof(
    fc.string(),
    fc.constantFrom("__proto__", "constructor", "toString", "__type", "then", "length", "error"),
  );
  return {
    value: fc.oneof(
      { depthSize: "small" },
      fc.string({ unit: "grapheme" }),
      fc.constantFrom("__INF__", "__NEG_INF__", "error", "aggregate_error", "devalue"),
      fc.double(),
      fc.bigInt(),
      fc.constantFrom(undefined, null, true, false, -0, Number.NaN, Number.POSITIVE_INFINITY),
      fc.date(),
      fc.uint8Array(),
      fc.float64Array(),
      fc.constantFrom(/a"b\/<c>/giu, new URL("https://example.org/a?b=c#d")),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
      fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((all) => new Map(all)),
      fc.array(tie("value"), { maxLength: 3 }).map((all) => new Set(all)),
    ),
  };
});

/** Every property of the prototypes that values have. */
function prototypes(): unknown {
  const classes = [Object, Array, Map, Set, Date, RegExp, URL, Error, Uint8Array, Float64Array];
  return classes.map(({ prototype }) => Reflect.ownKeys(prototype).map(String));
}

/** As JSON has it: members that are `undefined` are absent. Applied to both sides before comparing. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (value instanceof Map) {
    return new Map([...value].map(([k, v]) => [withoutUndefined(k), withoutUndefined(v)]));
  }
  if (value instanceof Set) return new Set([...value].map(withoutUndefined));
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.map(([key, member]) => [key, withoutUndefined(member)]));
}

describe("plain JSON", () => {
  test("is byte for byte what the official SDK writes", () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(encode(value)).toEqual(official.encode(value));
      }),
      SEED,
    );
  });

  test("comes back from the official SDK's bytes, and goes to it", () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(codec.decode(official.encode(value))).toEqual(value);
        expect(official.decode(encode(value))).toEqual(value);
      }),
      SEED,
    );
  });

  test.each([
    ["undefined", undefined],
    ["null", null],
    ["an empty string", ""],
    ["an infinity", [Number.POSITIVE_INFINITY, { low: Number.NEGATIVE_INFINITY }]],
    ["a member that is undefined", { a: 1, b: undefined }],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 })],
    ["a part that occurs twice", ((part) => [part, part])({ a: 1 })],
    ["an object with a toJSON", { toJSON: () => ({ celsius: 21 }) }],
    ["a __type that means nothing", { __type: "user" }],
    ["a lone surrogate", "\ud800"],
    [
      "an instance of a class",
      new (class Point {
        x = 1;
      })(),
    ],
  ])("%s is written as the official SDK writes it", (_name, value) => {
    expect(encode(value)).toEqual(official.encode(value));
  });

  test("undefined is an empty string, and so is what a server wrote itself", () => {
    expect(encode(undefined)).toEqual({ headers: {}, data: "" });
    expect(codec.decode({})).toBeUndefined();
    expect(codec.decode({ data: "" })).toBeUndefined();
  });
});

describe("richer values", () => {
  test(
    "come back as what they were",
    () => {
      fc.assert(
        fc.property(anything.value, (value) => {
          deepStrictEqual(withoutUndefined(roundTrip(value)), withoutUndefined(value));
        }),
        { numRuns: ROUND_TRIPS, ...SEED },
      );
    },
    LONG_MS,
  );

  test(
    "never change a prototype",
    () => {
      const before = prototypes();
      fc.assert(
        fc.property(anything.value, (value) => {
          const copy = roundTrip(value);
          if (typeof copy === "object" && copy !== null) {
            expect(Object.getPrototypeOf(copy)).toBe(Object.getPrototypeOf(value));
          }
        }),
        { numRuns: ROUND_TRIPS, ...SEED },
      );
      expect(prototypes()).toEqual(before);
    },
    LONG_MS,
  );

  test("keep keys that name a prototype as keys", () => {
    const hostile: unknown = JSON.parse('{"__proto__": {"admin": true}, "n": 1}');
    const withDate = { hostile, at: new Date(0) };

    for (const copy of [roundTrip(hostile), (roundTrip(withDate) as typeof withDate).hostile]) {
      expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
      expect(Object.keys(copy as object)).toEqual(["__proto__", "n"]);
      expect((copy as { admin?: boolean }).admin).toBeUndefined();
    }
  });

  test.each(["__INF__", "__NEG_INF__"])("the string %s stays a string", (text) => {
    expect(roundTrip(text)).toBe(text);
    expect(roundTrip({ deep: [text] })).toEqual({ deep: [text] });
  });

  test.each(["error", "aggregate_error"])("an object with __type %s stays an object", (type) => {
    const value = { __type: type, message: "m", errors: [] };

    expect(roundTrip(value)).toEqual(value);
    expect(roundTrip([{ value }])).toEqual([{ value }]);
  });

  test("undefined in an array stays undefined, and a hole stays a hole", () => {
    expect(roundTrip([1, undefined, null])).toStrictEqual([1, undefined, null]);
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested.
    expect(roundTrip([1, , 3])).toStrictEqual([1, , 3]);
  });

  test("a cycle comes back as a cycle", () => {
    const value: { self?: unknown; list: unknown[] } = { list: [] };
    value.self = value;
    value.list.push(value);

    const copy = roundTrip(value) as typeof value;

    expect(copy.self).toBe(copy);
    expect(copy.list[0]).toBe(copy);
  });

  test("a value whose JSON would be enormous is written once per part", () => {
    let value: unknown[] = ["leaf"];
    for (let i = 0; i < 40; i++) value = [value, value];

    const encoded = encode(value);

    expect(encoded.data?.length).toBeLessThan(1_000);
    expect((codec.decode(encoded) as unknown[])[0]).toHaveLength(2);
  });

  test("a view travels without the rest of its buffer", () => {
    const buffer = new TextEncoder().encode("secret!public").buffer;
    const text = Buffer.from(encode(new Uint8Array(buffer, 7)).data ?? "", "base64").toString();

    expect(text).not.toContain(Buffer.from("secret").toString("base64").slice(0, 6));
    expect(roundTrip(new Uint8Array(buffer, 7))).toEqual(new TextEncoder().encode("public"));
    expect(roundTrip(Buffer.from("pooled"))).toEqual(new Uint8Array(Buffer.from("pooled")));
    expect(roundTrip(new DataView(buffer, 7, 2))).toEqual(new DataView(buffer.slice(7, 9)));
  });

  test("an instance and a toJSON mean the same beside a date as in JSON", () => {
    const value = {
      at: new Date(5),
      point: new (class Point {
        x = 1;
      })(),
      money: { toJSON: () => 0 },
      [Symbol("s")]: 1,
    };

    expect(roundTrip(value)).toStrictEqual({ at: new Date(5), point: { x: 1 }, money: 0 });
  });
});

describe("errors", () => {
  test("an error that has nothing else is written as the official SDK writes it", () => {
    const error = new TypeError("no");
    const group = new AggregateError([error, 1], "both");

    expect(encode(error)).toEqual(official.encode(error));
    expect(encode({ deep: [error] })).toEqual(official.encode({ deep: [error] }));
    expect(encode(group)).toEqual(official.encode(group));
  });

  test("name, message, stack, cause and own fields come back, and instanceof Error holds", () => {
    const cause = Object.assign(new RangeError("low"), { errno: -2 });
    const error = Object.assign(new Error("high", { cause }), { code: "E_HIGH", at: new Date(7) });
    error.name = "HighError";

    const copy = roundTrip(error) as typeof error & { cause: typeof cause };

    expect(copy).toBeInstanceOf(Error);
    expect([copy.name, copy.message, copy.stack]).toEqual([error.name, error.message, error.stack]);
    expect([copy.code, copy.at]).toEqual(["E_HIGH", new Date(7)]);
    expect(copy.cause).toBeInstanceOf(Error);
    expect([copy.cause.name, copy.cause.message, copy.cause.errno]).toEqual([
      "RangeError",
      "low",
      -2,
    ]);
    expect(Object.keys(copy)).toEqual(["code", "at"]);
  });

  test("the official SDK reads an error with fields that JSON carries", () => {
    const error = Object.assign(new Error("m", { cause: new Error("why") }), { code: "E" });

    const read = official.decode(encode(error)) as Error;

    expect(read).toBeInstanceOf(Error);
    expect(read.message).toBe("m");
  });

  test("fields that cannot travel are left out, the error is not", () => {
    const error = Object.assign(new Error("m"), {
      code: 7,
      socket: { write() {} },
      toJSON: () => ({ not: "an error" }),
    });
    const get = () => {
      throw new Error("getter");
    };
    Object.defineProperty(error, "broken", { enumerable: true, get });

    const copy = roundTrip(error) as typeof error;

    expect(copy.message).toBe("m");
    expect(Object.keys(copy)).toEqual(["code"]);
  });

  test("errors that cause each other come back", () => {
    const a = new Error("a");
    const b = new Error("b", { cause: a });
    a.cause = b;

    const copy = roundTrip(a) as Error & { cause: Error };

    expect([copy.message, copy.cause.message]).toEqual(["a", "b"]);
  });

  test("an error that is too large is written without its fields", () => {
    const error = Object.assign(new Error("m".repeat(40_000)), { body: "x".repeat(2_000_000) });

    const copy = roundTrip(error) as typeof error;

    expect(copy.message).toBe("m".repeat(32_768));
    expect(copy.body).toBeUndefined();
  });

  test("a message that looks like an infinity stays a message", () => {
    expect((roundTrip(new Error("__INF__")) as Error).message).toBe("__INF__");
  });

  test("an error of the official SDK, with or without a message, is an Error", () => {
    const data = Buffer.from('{"__type":"error","name":"Odd"}').toString("base64");

    const error = codec.decode({ data }) as Error;

    expect([error.name, error.message]).toEqual(["Odd", ""]);
  });
});

describe("refusals", () => {
  test.each([
    ["a function", { a: [{ f: () => 1 }] }, ".a[0].f"],
    ["a symbol", { list: [1, Symbol("s")] }, ".list[1]"],
    ["a promise", { later: Promise.resolve(1) }, ".later"],
    ["an instance without fields", { headers: new Headers({ a: "b" }) }, ".headers"],
  ])("%s is refused by its path", (_name, value, path) => {
    const error = failure(() => encode(value));

    expect(error.code).toBe("VALUE_NOT_ENCODABLE");
    expect(error.message).toContain(`'${path}'`);
  });

  test("a value at the limit is taken, one byte over it is not", () => {
    const encodeSmall = createCodec({ bytesMax: 8 }).encode;

    expect(encodeSmall("abcd")).toEqual({ headers: {}, data: "ImFiY2Qi" });
    expect(failure(() => encodeSmall("abcde")).code).toBe("VALUE_TOO_LARGE");
  });

  test.each([
    ["text that is not JSON", { data: "AAAA" }],
    ["an encoding of a later version", { headers: { "resonate:encoding": "cbor" }, data: "AA" }],
    ["rich data that is damaged", { headers: { "resonate:encoding": "devalue" }, data: "W1td" }],
  ])("%s is not decodable", (_name, value) => {
    expect(failure(() => codec.decode(value)).code).toBe("VALUE_NOT_DECODABLE");
  });
});

describe("an encryptor", () => {
  const reversed = (value: Value): Value => ({
    ...value,
    data: [...(value.data ?? "")].reverse().join(""),
  });

  test("is applied after encoding and before decoding", () => {
    const secret = createCodec({ encryptor: { encrypt: reversed, decrypt: reversed } });

    const encoded = secret.encode("ab");

    expect(encoded).toEqual(reversed(encode("ab")));
    expect(secret.decode(reversed(encode("ab")))).toBe("ab");
  });

  test("may be async", async () => {
    const slow = async (value: Value) => reversed(value);
    const secret = createCodec({ encryptor: { encrypt: slow, decrypt: slow } });

    const encoded = await secret.encode(new Date(3));

    expect(await secret.decode(encoded)).toEqual(new Date(3));
  });

  test("is not asked for a payload that the server left empty", () => {
    const decrypt = () => {
      throw new Error("must not be called");
    };

    expect(createCodec({ encryptor: { encrypt: reversed, decrypt } }).decode({})).toBeUndefined();
  });

  test("that fails is named as what failed, both ways", async () => {
    const fail = () => {
      throw new Error("no key");
    };
    const broken = createCodec({ encryptor: { encrypt: fail, decrypt: async () => fail() } });

    expect(failure(() => broken.encode(1))).toMatchObject({
      code: "ENCRYPTOR_FAILED",
      message: "A value could not be encrypted: no key.",
    });
    await expect(broken.decode({ data: "MQ==" })).rejects.toMatchObject({
      code: "ENCRYPTOR_FAILED",
      message: "A stored value could not be decrypted: no key.",
    });
  });
});
