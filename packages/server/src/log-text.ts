/** What must not get into a log, and must not get from a log into a terminal. */

/** `user:password@` of a URL. */
const PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@"\\]*:)[^\s/?#@"\\]+(?=@)/gi;
/** The three parts of a JSON Web Token. */
const TOKEN = /\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g;
/** What follows the name of a scheme in a header. */
const BEARER = /\b(bearer|basic) +[\w.~+/=-]+/gi;

/** The text without what looks like a secret in it. */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(PASSWORD, "$1[redacted]")
    .replaceAll(TOKEN, "[redacted]")
    .replaceAll(BEARER, "$1 [redacted]");
}

/** The JSON text without characters that would do something in a terminal: they may be part of an id. */
export function withoutControls(json: string): string {
  // A backslash that is written as two is no beginning of anything.
  return json.replaceAll(/(\\\\)|\\u00[01][0-9a-f]|\\[bf]|[\u007f-\u009f]/gi, "$1");
}
