/** The side effect: one HTTP request for one page. */
import type { Context } from "@resonate-ts/sdk";
import { type Dispatcher, fetch, type Response } from "undici";
import { ForbiddenAddressError } from "./addresses.ts";
import { linkTo, readPage } from "./links.ts";

/** Most bytes of a body that are read, decompressed: 2 MiB. */
const BYTES_MAX = 2 * 1_024 * 1_024;
/** Longest time for one page, in ms, connecting and reading included. */
const TOTAL_MS = 30_000;

export interface FetchedPage {
  readonly url: string;
  /** Absent when there was no answer, or the crawler may not connect there. */
  readonly status?: number;
  readonly title?: string;
  /** Where the page leads; see `PageContent`. */
  readonly links: readonly string[];
  /** Where a redirect leads, when that is on the same host. */
  readonly redirect?: string;
  readonly bytes: number;
  readonly ms: number;
  /** Why the body was not used. */
  readonly problem?: string;
}

/** For whom a page is fetched. Recorded with the call, so whichever process makes the request has the same rules. */
export interface FetchRules {
  readonly run: string;
  /** Loopback and private addresses may be visited. */
  readonly allowPrivate: boolean;
}

/** Makes the connections; the dependency `web`. */
export type Web = (rules: FetchRules) => Dispatcher;

/** Told of every request that this process made for a page, those that got no answer too; the dependency `fetched`. */
export type Fetched = (page: FetchedPage, rules: FetchRules) => void;

/**
 * Fetches one page and reads its links. Redirects are not followed: they lead to another page, which has a promise
 * of its own. Uses the dependencies `web` and `fetched`.
 *
 * @throws Error that says why, when there is no answer, or none in time.
 */
export async function fetchPage(
  ctx: Context,
  url: string,
  rules: FetchRules,
): Promise<FetchedPage> {
  const since = performance.now();
  const tell = (content: Content): FetchedPage => {
    const page = { url, ...content, ms: Math.round(performance.now() - since) };
    ctx.getDependency<Fetched>("fetched")?.(page, rules);
    return page;
  };
  try {
    return tell(await request(ctx, url, rules));
  } catch (error) {
    // Fired because this process stops: the next one makes the request again.
    if (ctx.signal.aborted) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const problem = cause instanceof Error ? cause.message : String(cause);
    const page = tell({ links: [], bytes: 0, problem });
    // An address that may not be visited is an outcome, not worth another try.
    if (cause instanceof ForbiddenAddressError) return page;
    throw new Error(problem, { cause: error });
  }
}

type Content = Omit<FetchedPage, "url" | "ms">;

async function request(ctx: Context, url: string, rules: FetchRules): Promise<Content> {
  const web = ctx.getDependency<Web>("web")?.(rules);
  const response = await fetch(url, {
    redirect: "manual",
    headers: { "User-Agent": "resonate-crawler", Accept: "text/html" },
    signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(TOTAL_MS)]),
    ...(web && { dispatcher: web }),
  });
  return read(response, url);
}

async function read(response: Response, url: string): Promise<Content> {
  const { status, headers } = response;
  const nothing = { status, links: [], bytes: 0 };
  const location = headers.get("location");
  if (status >= 300 && status < 400 && location !== null) {
    await response.body?.cancel();
    const redirect = linkTo(location, { from: url, site: url });
    return redirect === undefined
      ? { ...nothing, problem: "redirects to another host" }
      : { ...nothing, redirect };
  }
  if (!isHtml(headers.get("content-type"))) {
    await response.body?.cancel();
    return { ...nothing, problem: "not HTML" };
  }
  const body = await readBody(response);
  if (body === undefined) return { ...nothing, problem: `larger than ${BYTES_MAX} bytes` };
  const html = body.toString("utf8");
  return { status, bytes: body.length, ...readPage(html, url), ...(status >= 400 && NO_LINKS) };
}

/** An error page is not part of the site. */
const NO_LINKS = { links: [] };

function isHtml(contentType: string | null): boolean {
  return /^\s*(text\/html|application\/xhtml\+xml)\s*(;|$)/i.test(contentType ?? "");
}

/** The body, or `undefined` when it is too large. */
async function readBody({ body }: Response): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    // Leaving the loop cancels the rest.
    if (bytes > BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
