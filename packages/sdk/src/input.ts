/** What a function accepts, checked where a call is received. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { InputInvalidError, ResonateError } from "./errors.ts";
import type { AnyFunction } from "./registry.ts";

/**
 * A schema of each argument, in their order, or of the first alone: anything that follows Standard Schema (zod, valibot,
 * arktype, …). What a schema gives (defaults, conversions) is what the function gets. It must answer at once.
 */
export type InputSchema = StandardSchemaV1 | readonly StandardSchemaV1[];

/** `fn`, called only with arguments that `input` accepts; throws InputInvalidError otherwise. */
export function checkedFunction(name: string, fn: AnyFunction, input: InputSchema): AnyFunction {
  const schemas = isList(input) ? input : [input];
  return (ctx, ...args: readonly unknown[]) => {
    const count = Math.max(schemas.length, args.length);
    const accepted = Array.from({ length: count }, (_, at) => {
      const schema = schemas[at];
      return schema ? parsed(name, schema, { argument: args[at], at }) : args[at];
    });
    // They are what the function's own schemas gave.
    return fn(ctx, ...(accepted as never[]));
  };
}

function parsed(
  name: string,
  schema: StandardSchemaV1,
  { argument, at }: { readonly argument: unknown; readonly at: number },
): unknown {
  const result = schema["~standard"].validate(argument);
  if (result instanceof Promise) {
    throw new ResonateError(
      "ARGUMENT_INVALID",
      `The schema of argument ${at + 1} of '${name}' answers with a promise. Check what takes time in a step of the function.`,
    );
  }
  if (!result.issues) return result.value;
  throw new InputInvalidError({
    func: name,
    issues: result.issues.map(({ message, path = [] }) => ({ path: pathOf(at, path), message })),
  });
}

function pathOf(at: number, path: readonly (PropertyKey | StandardSchemaV1.PathSegment)[]): string {
  const keys = path.map((part) => (typeof part === "object" ? part.key : part));
  return `args[${at}]${keys.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("")}`;
}

function isList(input: InputSchema): input is readonly StandardSchemaV1[] {
  return Array.isArray(input);
}
