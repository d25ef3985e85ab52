/** Longest text that is made of one payload, in characters. */
const LENGTH_MAX = 1024 * 1024;

/**
 * JSON with each entry on a line of its own, and else as it was written: no number is read, so none is changed. What is
 * no JSON, or would become too long, stays as it is.
 */
export function pretty(text: string): string {
  if (!isJson(text)) return text;
  let out = "";
  let depth = 0;
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === "}" || token === "]") depth--;
    if (token === "}" || token === "]") out += line(depth) + token;
    else if (token === "{" || token === "[") out += token + line(++depth);
    else if (token === ",") out += token + line(depth);
    else out += token === ":" ? ": " : token;
    if (out.length > LENGTH_MAX) return text;
  }
  return out;
}

/** Strings, what is empty, and what gives structure; and the rest, without white space. */
const TOKENS = /"(?:[^"\\]|\\.)*"|\{\s*\}|\[\s*\]|[{}[\],:]|[^\s"{}[\],:]+/g;

/** Deeper than this it is no help to anybody, and every line of it would be long. */
const DEPTH_MAX = 100;

function line(depth: number): string {
  return `\n${"  ".repeat(Math.min(depth, DEPTH_MAX))}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
