/**
 * `/ui`: the files of the page. They hold nothing of anybody's, so they are given to whoever may reach the server; what
 * the page shows it asks for under `/ui/api/`, with a token where one is wanted.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { sendProblem } from "./respond.ts";

/** Nothing but the page's own files, no script or style that is written into it, and no other page around it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const SAFE: OutgoingHttpHeaders = {
  "Content-Security-Policy": POLICY,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".map": "application/json",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

/** What is shorter fits into one packet anyhow. */
const COMPRESSED_MIN = 1_024;
const COMPRESSIBLE = /^text\/|json$|svg/;
/** Names that change with what is in the file, as the page's builder gives them. */
const HASHED = /[-.][\w-]{8,}\.\w+$/;

const INDEX = "index.html";
const PATH = "/ui";

type Encoding = "br" | "gzip" | "identity";

interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly cache: string;
  readonly bodies: ReadonlyMap<Encoding, Buffer>;
}

export class Page {
  readonly #folder: string;
  /** As they were read last, and what the index was then. */
  #assets: Promise<ReadonlyMap<string, Asset>> | undefined;
  #builtAt: number | undefined;

  /** `folder`: of the built page. Nothing is read before somebody asks for it. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether the page, or a part of it, is asked for. */
  static has(path: string): boolean {
    return path === PATH || path.startsWith(`${PATH}/`);
  }

  /** Answers a `GET` or `HEAD`. */
  async answer(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
    headers: OutgoingHttpHeaders,
  ): Promise<void> {
    const assets = await this.#current();
    if (!assets) {
      const message = "the page has not been built; run 'pnpm build', then reload";
      return sendProblem(response, 503, message, headers);
    }
    const name = nameIn(path);
    // What is no file is a view of the page, which finds its way by itself.
    const asset = assets.get(name) ?? (extname(name) === "" ? assets.get(INDEX) : undefined);
    if (!asset) return sendProblem(response, 404, `there is nothing at ${path}`, headers);
    send(asset, request, response, headers);
  }

  /** The files; read again when the page has been built again. `undefined` when it has not been. */
  async #current(): Promise<ReadonlyMap<string, Asset> | undefined> {
    const index = await stat(join(this.#folder, INDEX)).catch(() => undefined);
    if (!index) return undefined;
    if (!this.#assets || this.#builtAt !== index.mtimeMs) {
      this.#builtAt = index.mtimeMs;
      this.#assets = readAssets(this.#folder);
    }
    try {
      return await this.#assets;
    } catch (error) {
      this.#assets = undefined;
      throw error;
    }
  }
}

function send(
  { type, etag, cache, bodies }: Asset,
  request: IncomingMessage,
  response: ServerResponse,
  headers: OutgoingHttpHeaders,
): void {
  const vary = [headers["Vary"], "Accept-Encoding"].filter(Boolean).join(", ");
  const about = { ...headers, ...SAFE, ETag: etag, "Cache-Control": cache, Vary: vary };
  if (request.headers["if-none-match"]?.includes(etag)) {
    response.writeHead(304, about).end();
    return;
  }
  const encoding = encodingFor(request, bodies);
  const body = bodies.get(encoding) ?? Buffer.alloc(0);
  response.writeHead(200, {
    ...about,
    "Content-Type": type,
    "Content-Length": body.length,
    ...(encoding !== "identity" && { "Content-Encoding": encoding }),
  });
  // `HEAD` is answered with no body by Node itself.
  response.end(body);
}

function encodingFor(request: IncomingMessage, bodies: Asset["bodies"]): Encoding {
  const accepted = String(request.headers["accept-encoding"] ?? "");
  for (const encoding of ["br", "gzip"] as const) {
    const wanted = new RegExp(`\\b${encoding}\\b(?!\\s*;\\s*q=0(?:\\.0*)?(?![\\d.]))`);
    if (bodies.has(encoding) && wanted.test(accepted)) return encoding;
  }
  return "identity";
}

function nameIn(path: string): string {
  const name = path.slice(PATH.length + 1);
  return name === "" ? INDEX : name;
}

async function readAssets(folder: string): Promise<ReadonlyMap<string, Asset>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const assets = files.map(async ({ parentPath, name }): Promise<[string, Asset]> => {
    const path = join(parentPath, name);
    const own = relative(folder, path).split(sep).join("/");
    return [own, await assetOf(own, await readFile(path))];
  });
  return new Map(await Promise.all(assets));
}

async function assetOf(name: string, body: Buffer): Promise<Asset> {
  const type = TYPES[extname(name)] ?? "application/octet-stream";
  const bodies = new Map<Encoding, Buffer>([["identity", body]]);
  if (COMPRESSIBLE.test(type) && body.length >= COMPRESSED_MIN) {
    bodies.set("br", await brotli(body));
    bodies.set("gzip", await promisify(gzip)(body));
  }
  return {
    type,
    bodies,
    etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`,
    cache: HASHED.test(name) ? "public, max-age=31536000, immutable" : "no-cache",
  };
}

/** The best that brotli can do takes seconds; this is nearly as small after some milliseconds. */
function brotli(body: Buffer): Promise<Buffer> {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 6 };
  return promisify(brotliCompress)(body, { params });
}
