/** Values that JSON would lose, written as `devalue` writes them: dates, maps, bigints, cycles, and so on. */
import * as devalue from "devalue";
import { hasToJson, isError, isRecord } from "./carriage.ts";
import { reviveError } from "./error-fields.ts";

/** @throws DevalueError with the path of what cannot be written. */
export function stringifyRich(
  value: unknown,
  fieldsOf: (error: Error) => Readonly<Record<string, unknown>>,
): string {
  const reducers = {
    Error: (part: unknown) => isError(part) && fieldsOf(part),
    Json: (part: unknown) => isObject(part) && ownJson(part),
    Entries: (part: unknown) =>
      isObject(part) && Object.hasOwn(part, "__proto__") && Object.entries(part),
  };
  return devalue.stringify(value, reducers, { operations: { shapeOf, viewInfo } });
}

/** @throws Error when `text` is not what `stringifyRich` writes. */
export function parseRich(text: string): unknown {
  return devalue.parse(text, {
    Error: reviveError,
    Json: ([value]: readonly unknown[]) => value,
    Entries: fromEntries,
  });
}

/** What `toJSON` gives, in a list, since falsy answers of a reducer mean "not mine". */
function ownJson(part: object): readonly [unknown] | undefined {
  if (isError(part) || !hasToJson(part)) return undefined;
  const json = part.toJSON("");
  return json === part ? undefined : [json];
}

/** `fromEntries` defines, where assigning would set the prototype. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(entries);
}

/** Instances of classes are their fields, and symbol keys are left out, both as in JSON. */
function shapeOf(value: object) {
  if (!isRecord(value)) return { kind: "not-plain" } as const;
  const kind = Object.getPrototypeOf(value) === null ? "null-proto" : "plain";
  return { kind, keys: Object.keys(value) } as const;
}

/** A view travels with the bytes it shows, not with the rest of its buffer, which may belong to others. */
function viewInfo(view: devalue.TypedArray | DataView) {
  const { byteOffset, byteLength } = view;
  const buffer = view.buffer.slice(byteOffset, byteOffset + byteLength);
  const length = "length" in view ? view.length : byteLength;
  return { buffer, byteOffset: 0, byteLength, length, bufferByteLength: byteLength };
}

function isObject(part: unknown): part is object {
  return typeof part === "object" && part !== null;
}
