/**
 * Where the server may send messages on behalf of those who write targets and listeners: to public addresses, and to
 * what it was told to allow. A name is judged by the addresses it leads to, at the moment of connecting.
 */
import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

export interface TargetGuardOptions {
  /** Host names, addresses and ranges (`10.1.0.0/16`) that may be called besides public ones, at any port. */
  readonly allowTargets?: readonly string[] | undefined;
  /** Whether programs on this machine may be called. */
  readonly allowLoopback?: boolean | undefined;
}

/** A target that must not be called. The message says why, and what lets it through. */
export class TargetRefusedError extends Error {
  override readonly name = "TargetRefusedError";
}

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Public by its number, but an interface of the machine that it answers: the metadata of one cloud. */
const REFUSED = ["168.63.129.16"];
/** Ports, of those that are not reserved for the system, on which other things than HTTP listen, and take what they get. */
const PORTS_REFUSED = [1433, 1521, 2049, 3306, 5432, 5672, 6379, 9042, 11211, 27017];

export class TargetGuard {
  readonly #names = new Set<string>();
  readonly #ranges: Range[] = [];
  readonly #allowLoopback: boolean;

  /** @throws TypeError for an entry that is neither a name, an address nor a range. */
  constructor({ allowTargets = [], allowLoopback = false }: TargetGuardOptions = {}) {
    this.#allowLoopback = allowLoopback;
    for (const entry of allowTargets) {
      const range = rangeOf(entry);
      if (range) this.#ranges.push(range);
      else this.#names.add(nameOf(entry));
    }
  }

  /**
   * Judges what can be seen of a URL before it is called.
   *
   * @throws TargetRefusedError
   */
  check(url: URL): void {
    if (url.username !== "" || url.password !== "") refuse("a URL with a name or a password");
    const host = hostOf(url);
    if (isIP(host) !== 0) this.#checkAddress(host, host);
    if (!this.#isNamed(host) && !isOrdinaryPort(url)) {
      refuse(`port ${url.port}`, host);
    }
  }

  /**
   * Leaves those of a name's addresses that may be called.
   *
   * @throws TargetRefusedError when there is none.
   */
  filter(host: string, addresses: readonly LookupAddress[]): readonly LookupAddress[] {
    const allowed = addresses.filter(({ address }) => this.#allows(host, address));
    if (allowed.length === 0) this.#checkAddress(host, addresses[0]?.address ?? "0.0.0.0");
    return allowed;
  }

  #checkAddress(host: string, address: string): void {
    if (!this.#allows(host, address)) refuse(`the address ${address}`, host);
  }

  #allows(host: string, address: string): boolean {
    // An IPv4 address in the clothes of an IPv6 one is judged as what it is.
    const parsed = ipaddr.process(address);
    if (this.#isNamed(host) || this.#ranges.some((range) => isWithin(parsed, range))) return true;
    const range = parsed.range();
    if (range === "loopback") return this.#allowLoopback;
    return range === "unicast" && !REFUSED.includes(parsed.toString());
  }

  #isNamed(host: string): boolean {
    return this.#names.has(nameOf(host));
  }
}

/** The host of a URL, without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function refuse(what: string, host?: string): never {
  const of = host === undefined || what.endsWith(host) ? "" : ` of '${host}'`;
  throw new TargetRefusedError(
    `${what}${of} must not be called; the setting for allowed targets lets hosts and ranges through`,
  );
}

function rangeOf(entry: string): Range | undefined {
  if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry);
  if (isIP(entry) === 0) return undefined;
  const address = ipaddr.process(entry);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

function isWithin(address: ipaddr.IPv4 | ipaddr.IPv6, range: Range): boolean {
  // A range says nothing of addresses of the other kind; a mixed match throws.
  return address.kind() === range[0].kind() && address.match([range[0], range[1]]);
}

/** A name as it is compared: as in a URL, and without the dot that ends a name that is complete. */
function nameOf(entry: string): string {
  if (!/^[^\s/:@?#[\]]+$/.test(entry) && isIP(entry) === 0) {
    throw new TypeError(`'${entry}' is not a host name, an address or a range of addresses`);
  }
  return entry.toLowerCase().replace(/\.$/, "");
}

/** Web servers listen on the ports for it, or on those that any program may take. */
function isOrdinaryPort({ port }: URL): boolean {
  if (port === "" || port === "80" || port === "443") return true;
  return Number(port) >= 1_024 && !PORTS_REFUSED.includes(Number(port));
}
