/**
 * A small site that the crawler serves itself, on loopback, for a first run without a network: fourteen pages, with
 * a circle of links, a page that everybody links to, a redirect, a link that leads nowhere, a page that only the
 * sitemap names, and one that robots.txt disallows.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";

/**
 * The site's name. It leads to this process whatever the port, so a page has the same URL in the next process that
 * goes on with the same run. Names under `.test` belong to nobody (RFC 6761).
 */
export const SAMPLE_HOST = "sample.test";
export const SAMPLE_URL = `http://${SAMPLE_HOST}/`;

/** How long each page takes, in ms: enough to watch. */
const PAGE_MS = 30;
/** The pause before each request to this site, in ms. */
export const SAMPLE_DELAY_MS = 30;

/** Path, title, and the links of each page. */
const PAGES: Readonly<Record<string, readonly [string, ...string[]]>> = {
  "/": ["Home", "/about", "/products", "/blog", "/old-news", "#top"],
  "/about": ["About us", "/", "/team", "/contact"],
  "/team": ["The team", "/about", "/drafts/next"],
  "/contact": ["Contact", "/", "mailto:hello@sample.test", "https://elsewhere.test/"],
  "/products": [
    "Products",
    "/products/lamp",
    "/products/chair",
    "/products/desk",
    "/products/sofa",
    "/contact",
  ],
  "/products/lamp": ["Lamp", "/products/chair", "/contact"],
  "/products/chair": ["Chair", "/products/desk", "/contact"],
  "/products/desk": ["Desk", "/products/lamp", "/contact"],
  "/blog": ["Blog", "/blog/first", "/blog/second", "../blog/third", "/contact"],
  "/blog/first": ["First post", "second", "/blog"],
  "/blog/second": ["Second post", "third", "/blog"],
  "/blog/third": ["Third post", "first", "/blog/third#comments"],
  "/news": ["News", "/blog"],
  "/news/archive": ["Archive", "/news", "/"],
};

const REDIRECTS: Readonly<Record<string, string>> = { "/old-news": "/news" };

/** Type and text of what is no page. */
const FILES: Readonly<Record<string, readonly [string, string]>> = {
  "/robots.txt": [
    "text/plain",
    `User-agent: *\nDisallow: /drafts/\nSitemap: ${SAMPLE_URL}sitemap.xml\n`,
  ],
  "/sitemap.xml": [
    "application/xml",
    `<urlset><url><loc>${SAMPLE_URL}news/archive</loc></url></urlset>`,
  ],
};

export interface SampleSite {
  /** On loopback. */
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the site on a free port. `requested` is told every path that was asked for. */
export async function startSampleSite(
  requested: (path: string) => void = () => {},
): Promise<SampleSite> {
  const server = createServer(async ({ url: path = "/" }, response) => {
    requested(path);
    await setTimeout(PAGE_MS);
    const location = REDIRECTS[path];
    if (location !== undefined) return response.writeHead(301, { Location: location }).end();
    const file = FILES[path];
    if (file) return response.setHeader("Content-Type", file[0]).end(file[1]);
    const page = PAGES[path];
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    return page
      ? response.end(html(page))
      : response.writeHead(404).end(html(["No such page", "/"]));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // A server that listens on a port has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function html([title, ...links]: readonly [string, ...string[]]): string {
  const list = links.map((href) => `<li><a href="${href}">${href}</a></li>`).join("\n");
  return `<!doctype html><html><head><title>${title}</title></head><body><h1>${title}</h1><ul>\n${list}\n</ul></body></html>`;
}
