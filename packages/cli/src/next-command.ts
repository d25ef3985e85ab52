/** Commands that are shown to be copied. */
import { SERVER_DEFAULT } from "./options.ts";

/**
 * A command for the server at `url`, with `--server` where the one who copies it would reach another one: `found` is
 * where commands look that are not told.
 */
export function nextCommand(
  words: readonly string[],
  { url, found = SERVER_DEFAULT }: { readonly url: string; readonly found?: string },
): string {
  const server = url === found ? [] : ["--server", url];
  return ["resonate", ...words, ...server].map(shellWord).join(" ");
}

/** Quotes what a shell would take apart. */
function shellWord(word: string): string {
  if (/^[\w./:@%+=,-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}
