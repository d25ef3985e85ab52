/** The oldest Node that can load everything here. Whether the SQLite it brings is new enough the store says itself. */
const OLDEST = { major: 22, minor: 19 };

/** Why this cannot run on Node `version` (such as `24.1.0`), or `undefined` when it can. */
export function nodeProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return undefined;
  return `resonate needs Node ${OLDEST.major}.${OLDEST.minor} or newer; this is ${version}`;
}
