/**
 * A web of a few hundred pages on loopback, for tests: hosts below one domain that link to each other in circles, with
 * redirects, traps, slow and huge pages, pages that refuse at first, and robots rules. It knows what a right crawl of
 * it finds, and keeps a log of every request.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";

const DOMAIN = "web.test";
/** A page that takes its time, in ms. */
const SLOW_MS = 400;
/** Over what a crawler should read. */
const HUGE_BYTES = 3 * 1_024 * 1_024;

export interface FakeWebOptions {
  /** Default 10. */
  readonly hosts?: number;
  /** Ordinary pages of each host. Default 18. */
  readonly pagesPerHost?: number;
  /** Strange pages too: redirects, traps, slow and huge ones, refusals. Default true. */
  readonly strange?: boolean;
  /** Text of each ordinary page beside its links, in bytes. Default 200. */
  readonly textBytes?: number;
}

export interface Request {
  readonly host: string;
  readonly path: string;
  /** As `performance.now()` counts. */
  readonly at: number;
  /** When it was answered, or its connection closed; absent while it is under way. */
  endedAt?: number;
}

export interface FakeWeb {
  readonly port: number;
  /** Where a crawl begins. */
  readonly start: string;
  /** What a crawler has to be told so that it finds these hosts: for `--connect-to`. */
  readonly connectTo: string;
  readonly log: readonly Request[];
  /** The URLs that a crawl without limits of number accepts. */
  model(depth: number): ReadonlySet<string>;
  close(): Promise<void>;
}

export async function openFakeWeb({
  hosts = 10,
  pagesPerHost = 18,
  strange = true,
  textBytes = 200,
}: FakeWebOptions = {}): Promise<FakeWeb> {
  const site = new Site({ hosts, pagesPerHost, strange, text: "text ".repeat(textBytes / 5) });
  const log: Request[] = [];
  /** How often each URL was asked for. */
  const asked = new Map<string, number>();
  const server = createServer((request, response) => {
    const entry: Request = {
      host: request.headers.host ?? "",
      path: request.url ?? "",
      at: performance.now(),
    };
    log.push(entry);
    response.on("close", () => {
      entry.endedAt = performance.now();
    });
    const url = `${entry.host}${entry.path}`;
    const times = (asked.get(url) ?? 0) + 1;
    asked.set(url, times);
    void answer(site, { request, response, times });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // A server that listens on a port has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    start: site.start,
    connectTo: `*.${DOMAIN}=127.0.0.1:${port}`,
    log,
    model: (depth) => site.reachable(depth),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** How a page behaves. */
type Page =
  | { readonly kind: "html"; readonly links: readonly string[]; readonly nofollow?: string }
  | { readonly kind: "redirect"; readonly to: string }
  | { readonly kind: "slow" | "huge" | "bomb" | "picture" | "missing" }
  /** Refuses the first request with this status. */
  | { readonly kind: "refuses"; readonly status: number; readonly retryAfter?: string };

interface SiteShape {
  readonly hosts: number;
  readonly pagesPerHost: number;
  readonly strange: boolean;
  readonly text: string;
}

class Site {
  readonly text: string;
  readonly start: string;
  readonly #shape: SiteShape;
  readonly #pages = new Map<string, Page>();

  constructor(shape: SiteShape) {
    this.#shape = shape;
    this.text = shape.text;
    this.start = `${origin(0)}/`;
    for (let host = 0; host < shape.hosts; host++) this.#addHost(host);
    if (shape.strange) this.#addStrange();
  }

  page(url: string): Page {
    const trap = /^(.*\/trap\/)(\d+)$/.exec(url);
    // There is always a next one.
    if (trap) return { kind: "html", links: [`${trap[1]}${Number(trap[2]) + 1}`] };
    return this.#pages.get(url) ?? { kind: "missing" };
  }

  /** Breadth first; what robots.txt disallows is found, but not looked into. */
  reachable(depth: number): ReadonlySet<string> {
    const found = new Set([this.start]);
    let level = [this.start];
    for (let at = 0; at <= depth; at++) {
      for (const url of level) {
        const page = this.page(url);
        // The loop goes on to what is added: a redirect leads to the same level.
        if (page.kind === "redirect" && !found.has(page.to)) level.push(page.to);
        if (page.kind === "redirect") found.add(page.to);
      }
      if (at === depth) break;
      const next = level.flatMap((url) => {
        const page = this.page(url);
        return page.kind === "html" && !url.includes("/private/") ? page.links : [];
      });
      level = [...new Set(next.map(plain))].filter((url) => ours(url) && !found.has(url));
      for (const url of level) found.add(url);
    }
    return found;
  }

  /** Pages that link onwards, in circles, and to the other hosts. */
  #addHost(host: number): void {
    const { hosts, pagesPerHost } = this.#shape;
    const page = (number: number) => `${origin(host)}/p/${number % pagesPerHost}`;
    const next = `${origin((host + 1) % hosts)}/`;
    this.#pages.set(`${origin(host)}/`, { kind: "html", links: [page(0), page(1), page(2), next] });
    for (let i = 0; i < pagesPerHost; i++) {
      const links = [page(i * 3 + 1), page(i * 3 + 2), `${page(i * 3 + 3)}?utm_source=${i}`, next];
      this.#pages.set(page(i), { kind: "html", links });
    }
    const others = Array.from({ length: hosts }, (_, other) => `${origin(other)}/`);
    if (host === 0)
      this.#pages.set(this.start, { kind: "html", links: [page(0), page(1), ...others] });
  }

  #addStrange(): void {
    for (let host = 0; host < this.#shape.hosts; host++) {
      const at = (path: string) => `${origin(host)}${path}`;
      const strange: readonly (readonly [string, Page])[] = [
        [at("/old"), { kind: "redirect", to: at("/p/2") }],
        [at("/loop/a"), { kind: "redirect", to: at("/loop/b") }],
        [at("/loop/b"), { kind: "redirect", to: at("/loop/a") }],
        [at("/slow"), { kind: "slow" }],
        [at("/huge"), { kind: "huge" }],
        [at("/bomb"), { kind: "bomb" }],
        [at("/picture"), { kind: "picture" }],
        [at("/busy"), { kind: "refuses", status: 429, retryAfter: "1" }],
        [at("/private/a"), { kind: "html", links: [at("/private/b")] }],
        [at("/gone"), { kind: "missing" }],
      ];
      // Each host has three of them.
      const links = [0, 1, 2].flatMap((i) => strange[(host * 3 + i) % strange.length]?.[0] ?? []);
      for (const [url, page] of strange) this.#pages.set(url, page);
      const more = host === 0 ? [at("/trap/0"), "http://elsewhere.test/"] : [];
      const first = this.#pages.get(at("/"));
      if (first?.kind !== "html") continue;
      this.#pages.set(at("/"), {
        kind: "html",
        links: [...first.links, ...links, ...more],
        nofollow: at("/unwanted"),
      });
    }
  }
}

function origin(host: number): string {
  return `http://h${host}.${DOMAIN}`;
}

function plain(url: string): string {
  return url.replace(/\?utm_source=\d+$/, "");
}

function ours(url: string): boolean {
  return new URL(url).hostname.endsWith(`.${DOMAIN}`);
}

async function answer(
  site: Site,
  {
    request,
    response,
    times,
  }: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    /** Which request for this URL it is, from 1. */
    readonly times: number;
  },
): Promise<void> {
  const path = request.url ?? "/";
  if (path === "/robots.txt") {
    response.end("User-agent: *\nDisallow: /private/\n");
    return;
  }
  const page = site.page(plain(`http://${request.headers.host}${path}`));
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  switch (page.kind) {
    case "html":
      response.end(html(path, page, site.text));
      return;
    case "redirect":
      response.writeHead(302, { Location: page.to }).end();
      return;
    case "slow":
      await setTimeout(SLOW_MS);
      response.end(html("slow", { links: [] }, ""));
      return;
    case "huge":
      response.end(Buffer.alloc(HUGE_BYTES, "huge "));
      return;
    case "bomb":
      response.setHeader("Content-Encoding", "gzip").end(BOMB);
      return;
    case "picture":
      response.setHeader("Content-Type", "image/png").end("not really");
      return;
    case "missing":
      response.writeHead(404).end(html("missing", { links: ["/never"] }, ""));
      return;
    case "refuses":
      if (times > 1) response.end(html("at last", { links: [] }, ""));
      else
        response
          .writeHead(page.status, page.retryAfter ? { "Retry-After": page.retryAfter } : {})
          .end();
  }
}

/** 64 MiB of nothing in 64 KiB. */
const BOMB = gzipSync(Buffer.alloc(64 * 1_024 * 1_024));

function html(
  title: string,
  { links, nofollow }: { readonly links: readonly string[]; readonly nofollow?: string },
  text: string,
): string {
  const list = links.map((href) => `<li><a href="${href}">${href}</a></li>`);
  if (nofollow !== undefined) list.push(`<li><a rel="nofollow" href="${nofollow}">no</a></li>`);
  return `<!doctype html><html><head><title>${title}</title></head><body><ul>${list.join("\n")}</ul><p>${text}</p></body></html>`;
}
