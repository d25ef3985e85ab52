/** For the braces, the quotes and the rest of one value. */
const VALUE_BYTES = 8;

/** About how many bytes a value takes as JSON: exact for ASCII that needs no escape, and no less than a sixth. */
export function weigh(value: unknown): number {
  if (typeof value === "string") return value.length + VALUE_BYTES;
  if (typeof value !== "object" || value === null) return VALUE_BYTES;
  let bytes = VALUE_BYTES;
  // Every answer is weighed, so no entries are made of it; what is weighed has no keys but its own.
  const members = value as Readonly<Record<string, unknown>>;
  for (const name in members) bytes += name.length + weigh(members[name]);
  return bytes;
}
