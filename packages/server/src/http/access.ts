/**
 * Which requests are turned away before anything is read from them. Programs send no `Origin`, so this is about web
 * pages: one must not use a server that it happens to reach through the browser of somebody who runs it.
 */
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { isLoopback } from "../settings.ts";

export interface AccessSettings {
  readonly bind: string;
  readonly port: number;
  /** URLs under which the server is known. */
  readonly urls: readonly string[];
  /** Origins whose pages may use the server; `*` lets all. */
  readonly corsOrigins: readonly string[];
}

export interface Access {
  /** Why the request is turned away, or `undefined` when it is let in. */
  refusal(request: IncomingMessage): string | undefined;
  /** What to add to the answer so that the browser shows it to the page that asked; empty without an `Origin`. */
  headers(request: IncomingMessage): OutgoingHttpHeaders;
}

const LOCAL_NAMES = ["localhost", "127.0.0.1", "[::1]"];

export function createAccess({ bind, port, urls, corsOrigins }: AccessSettings): Access {
  const local = isLoopback(bind);
  const known = urls.map((url) => new URL(url));
  const hosts = new Set([...LOCAL_NAMES, ...known.map(({ hostname }) => hostname)]);
  const origins = new Set([
    ...(local ? LOCAL_NAMES.map((name) => `http://${name}:${port}`) : []),
    ...known.map(({ origin }) => origin),
    ...corsOrigins,
  ]);
  const everyOrigin = origins.has("*");

  return {
    refusal({ headers: { host, origin } }) {
      // A name that an attacker made point to this machine arrives as a foreign `Host` (DNS rebinding).
      if (local && !hosts.has(hostname(host))) {
        return `Host '${host ?? ""}' is not a name of this server; server.url adds one`;
      }
      if (origin === undefined || everyOrigin || origins.has(origin)) return undefined;
      return `pages of '${origin}' may not use this server; server.cors.allow_origins adds an origin`;
    },

    headers(request) {
      const { origin } = request.headers;
      if (origin === undefined) return {};
      return {
        "Access-Control-Allow-Origin": everyOrigin ? "*" : origin,
        "Access-Control-Expose-Headers": "Resonate-Extensions",
        Vary: "Origin",
        ...(request.method === "OPTIONS" ? preflight(request) : {}),
      };
    },
  };
}

function preflight(request: IncomingMessage): OutgoingHttpHeaders {
  return {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers":
      request.headers["access-control-request-headers"] ?? "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
  };
}

/** The name in a `Host` header, lower case, without the port. */
function hostname(host = ""): string {
  return host.replace(/:\d+$/, "").toLowerCase();
}
