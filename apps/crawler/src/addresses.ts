/** Which addresses a crawler may connect to: pages must not lead it into the network it runs in. */
import { type LookupAddress, lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { buildConnector } from "undici";

export class ForbiddenAddressError extends Error {
  override readonly name = "ForbiddenAddressError";

  /** `which`: the place, and what is wrong with it. */
  constructor(which: string) {
    super(`${which}; a run with --allow-private may go there`);
  }
}

function notPublic(host: string, address: string): ForbiddenAddressError {
  return new ForbiddenAddressError(`${host} is at ${address}, which is not a public address`);
}

/** Ports from 1024 on where something else than a web server listens as a rule: databases, file shares, chats. */
const OTHER_PORTS = new Set([2049, 3306, 5432, 6000, 6379, 6667, 11_211, 27_017]);

/** Whether web servers listen there. Others may take a request, which a hostile page has written, for commands. */
export function isWebPort(port: number): boolean {
  return port === 80 || port === 443 || (port >= 1_024 && !OTHER_PORTS.has(port));
}

/** Deprecated IPv4 inside IPv6 (`::a.b.c.d`): some systems still take it for the IPv4 address. */
const IPV4_COMPATIBLE = ipaddr.parseCIDR("::/96");

/**
 * Whether `address` (IPv4 or IPv6) belongs to the public internet. Loopback, private, link-local, carrier-grade NAT,
 * multicast, unique local, reserved, and whatever carries an IPv4 address inside (mapped ones count as what they carry).
 */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== "unicast") return false;
  return parsed.kind() === "ipv4" || !parsed.match(IPV4_COMPATIBLE);
}

/** Finds the addresses of a name, as `dns.lookup` with `all`. */
export type Resolve = (
  hostname: string,
  callback: (error: Error | null, found: readonly LookupAddress[]) => void,
) => void;

/** A rule of the person who started this process: names that end so are at this place, whatever DNS says. */
export interface ConnectTo {
  /** A host, or `*.` and a host for all below it. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export interface ConnectorOptions {
  /** Connects anywhere. */
  readonly allowPrivate: boolean;
  /** Goes before DNS and before the check. */
  readonly connectTo?: readonly ConnectTo[];
  /** Longest time to resolve a name, in ms. */
  readonly dnsMs: number;
  /** Longest time to connect, in ms. */
  readonly connectMs: number;
  /** Default the system's. */
  readonly resolve?: Resolve;
}

/**
 * Makes connections for undici, only to addresses that were checked.
 *
 * A name is resolved once and the connection goes to what was checked, so a name that changes its address in
 * between changes nothing. Every redirect is a request of its own, and comes by here again.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const { allowPrivate, connectTo = [], connectMs } = options;
  const connect = buildConnector({ timeout: connectMs, lookup: guardedLookup(options) });
  return (target, callback) => {
    const { hostname } = target;
    const rule = connectTo.find((one) => applies(one, hostname));
    if (rule) {
      // With a server name, an address is what is connected to and the name is what TLS asks for.
      const { address, port } = rule;
      const servername = target.servername ?? hostname;
      const place = { ...target, hostname: address, port: String(port) };
      connect(target.protocol === "https:" ? { ...place, servername } : place, callback);
      return;
    }
    const port = Number(target.port || (target.protocol === "https:" ? 443 : 80));
    if (!allowPrivate && !isWebPort(port)) {
      callback(new ForbiddenAddressError(`${hostname}:${port} is no port of the web`), null);
      return;
    }
    const literal = hostname.replace(/^\[|\]$/g, "");
    if (!allowPrivate && isIP(literal) !== 0 && !isPublic(literal)) {
      callback(notPublic(hostname, literal), null);
      return;
    }
    connect(target, callback);
  };
}

function applies({ name }: ConnectTo, hostname: string): boolean {
  if (!name.startsWith("*.")) return hostname === name;
  return hostname === name.slice(2) || hostname.endsWith(name.slice(1));
}

/** Resolves a name in time, and fails when one of its addresses is not public. */
function guardedLookup({
  allowPrivate,
  dnsMs,
  resolve = systemResolve,
}: ConnectorOptions): LookupFunction {
  return (hostname, { all }, callback) => {
    let answered = false;
    const answer = (error: Error | null, found: readonly LookupAddress[] = []) => {
      if (answered) return;
      answered = true;
      clearTimeout(timer);
      const problem = error ?? (allowPrivate ? undefined : forbidden(hostname, found));
      const [first] = found;
      if (problem) callback(problem, []);
      else if (!first) callback(new Error(`${hostname} has no address`), []);
      else if (all) callback(null, [...found]);
      else callback(null, first.address, first.family);
    };
    const late = () => answer(new Error(`${hostname} was not resolved within ${dnsMs} ms`));
    const timer = setTimeout(late, dnsMs);
    resolve(hostname, answer);
  };
}

const systemResolve: Resolve = (hostname, callback) => lookup(hostname, { all: true }, callback);

function forbidden(host: string, found: readonly LookupAddress[]): Error | undefined {
  const wrong = found.find(({ address }) => !isPublic(address));
  return wrong && notPublic(host, wrong.address);
}
