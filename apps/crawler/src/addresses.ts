/** Which addresses a crawler may connect to: pages must not lead it into the network it runs in. */
import { type LookupAddress, lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { buildConnector } from "undici";

/** How long a connection may take to be made, in ms. */
const CONNECT_MS = 5_000;

export class ForbiddenAddressError extends Error {
  override readonly name = "ForbiddenAddressError";

  constructor(host: string, address: string) {
    super(
      `${host} is at ${address}, which is not a public address; a run with --allow-private may go there`,
    );
  }
}

/** Whether `address` (an IPv4 or IPv6 address) belongs to the public internet. */
export function isPublic(address: string): boolean {
  return !NOT_PUBLIC.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

export interface ConnectorOptions {
  /** Connects anywhere. */
  readonly allowPrivate: boolean;
  /** One host that is served by this process itself: its name, and its port on loopback. */
  readonly ownSite?: { readonly host: string; readonly port: number } | undefined;
}

/**
 * Makes connections for undici, only to addresses that were checked.
 *
 * A name is resolved once and the connection goes to what was checked, so a name that changes its address in
 * between changes nothing. Every redirect and every page is a connection of its own.
 */
export function guardedConnector({
  allowPrivate,
  ownSite,
}: ConnectorOptions): buildConnector.connector {
  const lookup = allowPrivate ? {} : { lookup: guardedLookup };
  const connect = buildConnector({ timeout: CONNECT_MS, ...lookup });
  return (options, callback) => {
    const { hostname } = options;
    if (hostname === ownSite?.host) {
      connect({ ...options, hostname: "127.0.0.1", port: String(ownSite.port) }, callback);
      return;
    }
    const literal = hostname.replace(/^\[|\]$/g, "");
    if (!allowPrivate && isIP(literal) !== 0 && !isPublic(literal)) {
      callback(new ForbiddenAddressError(hostname, literal), null);
      return;
    }
    connect(options, callback);
  };
}

/** Resolves a name as usual, and fails when one of its addresses is not public. */
const guardedLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    const problem = error ?? forbidden(hostname, found);
    if (problem) return callback(problem, []);
    if (options.all) return callback(null, found);
    const [first] = found;
    return first && callback(null, first.address, first.family);
  });
};

function forbidden(host: string, found: readonly LookupAddress[]): Error | undefined {
  const wrong = found.find(({ address }) => !isPublic(address));
  return wrong && new ForbiddenAddressError(host, wrong.address);
}

/** IANA's special-purpose addresses (RFC 6890 and its registries), multicast included. */
const NOT_PUBLIC = new BlockList();
for (const range of [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001:db8::/32",
  "2002::/16",
  "fc00::/7",
  "fe80::/10",
  "ff00::/8",
]) {
  const [network = "", bits] = range.split("/");
  NOT_PUBLIC.addSubnet(network, Number(bits), isIP(network) === 6 ? "ipv6" : "ipv4");
}
