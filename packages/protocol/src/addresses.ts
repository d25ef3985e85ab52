/** Where messages go. */

/** The parts of an address. This version of the server delivers to those of `poll` and `push`; others are valid on the wire. */
export type Address =
  | {
      readonly kind: "poll";
      /** `any`: the connection named by `id` if it is there, else any of the group. `uni`: that one only. */
      readonly cast: "any" | "uni";
      readonly group: string;
      readonly id?: string;
    }
  | { readonly kind: "push"; readonly url: string }
  | { readonly kind: "other"; readonly scheme: string };

const POLL = /^poll:\/\/(any|uni)@([^/?#]+)(?:\/([^?#]*))?$/;

/** Reads an address; `undefined` when it is not a valid one. */
export function parseAddress(text: string): Address | undefined {
  const poll = POLL.exec(text);
  if (poll) return pollAddress(poll);
  if (text.startsWith("poll:") || !URL.canParse(text)) return undefined;
  const { protocol, hostname, pathname } = new URL(text);
  switch (protocol) {
    case "http:":
    case "https:":
      return { kind: "push", url: text };
    case "gcps:":
      return hostname && pathname.length > 1 ? { kind: "other", scheme: "gcps" } : undefined;
    case "bash:":
      return { kind: "other", scheme: "bash" };
    default:
      return undefined;
  }
}

/** Why `text` is not an address, to follow the name of the field; `undefined` when it is one. */
export function addressProblem(text: string): string | undefined {
  if (parseAddress(text)) return undefined;
  return `must be an address such as poll://any@GROUP, poll://uni@GROUP/ID or https://HOST/PATH, got '${text}'`;
}

/** The address of one process of a group. */
export function unicast(group: string, pid: string): string {
  return `poll://uni@${encodeURIComponent(group)}/${encodeURIComponent(pid)}`;
}

/** The address of a group that prefers one process of it, where that is given. */
export function anycast(group: string, pid?: string): string {
  const address = `poll://any@${encodeURIComponent(group)}`;
  return pid === undefined ? address : `${address}/${encodeURIComponent(pid)}`;
}

function pollAddress([, cast, group = "", id]: RegExpExecArray): Address | undefined {
  const decodedGroup = decode(group);
  const decodedId = id ? decode(id) : undefined;
  if (!decodedGroup) return undefined;
  return {
    kind: "poll",
    cast: cast === "uni" ? "uni" : "any",
    group: decodedGroup,
    ...(decodedId === undefined ? {} : { id: decodedId }),
  };
}

/** Percent-decodes; text that is not valid percent-encoding stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
