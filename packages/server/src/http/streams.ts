/** Who may open a stream, and for how long. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Engine } from "../engine/engine.ts";
import type { Logger } from "../logger.ts";
import { type Authenticator, bearerOf } from "./auth.ts";
import { permitsGroup } from "./authorization.ts";
import { openPoll, parsePath } from "./poll.ts";
import { sendProblem } from "./respond.ts";
import type { Scope } from "./scope.ts";

/** Longest that one timer can wait, in ms; a stream that may stay open longer is ended then, and opened again. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface StreamLimits {
  /** Most open streams, all groups together. */
  readonly streamsMax: number;
  /** Most of them that tokens of one prefix may have: one client must not keep out all others. */
  readonly streamsPerPrefixMax: number;
}

export interface StreamsOptions {
  readonly engine: Engine;
  readonly auth: Authenticator;
  readonly logger: Logger;
  readonly limits: StreamLimits;
}

export class Streams {
  readonly #options: StreamsOptions;
  readonly #openByPrefix = new Map<string, number>();

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** Answers `GET /poll/{group}/{id}`. */
  async open(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
    headers: OutgoingHttpHeaders,
  ): Promise<void> {
    const { auth, engine, logger, limits } = this.#options;
    const identity = await auth.identify(bearerOf(request));
    if (!identity) {
      return sendProblem(response, 401, "Unauthorized", {
        ...headers,
        "WWW-Authenticate": "Bearer",
      });
    }
    const { scope, endsAt } = identity;
    const place = parsePath(path);
    // A path that names no group is refused where it is read.
    if (place && !permitsGroup(scope, place.group)) {
      return sendProblem(response, 403, "Forbidden", headers);
    }
    if (this.#isFull(scope)) {
      const message = `${limits.streamsPerPrefixMax} streams are open with this prefix (limits.streams_per_prefix)`;
      return sendProblem(response, 429, message, { ...headers, "Retry-After": "5" });
    }
    // Who went away while the token was looked at would never be heard to close.
    if (response.closed || response.destroyed) return;
    openPoll(
      { engine, logger, streamsMax: limits.streamsMax },
      { path, request, response, headers },
    );
    this.#count(scope, response);
    if (endsAt !== undefined) endAt(endsAt, response);
  }

  #isFull(scope: Scope): boolean {
    if (scope.kind !== "prefix") return false;
    const open = this.#openByPrefix.get(scope.prefix) ?? 0;
    return open >= this.#options.limits.streamsPerPrefixMax;
  }

  #count(scope: Scope, response: ServerResponse): void {
    if (scope.kind !== "prefix") return;
    const { prefix } = scope;
    this.#openByPrefix.set(prefix, (this.#openByPrefix.get(prefix) ?? 0) + 1);
    response.once("close", () => {
      const left = (this.#openByPrefix.get(prefix) ?? 1) - 1;
      if (left > 0) this.#openByPrefix.set(prefix, left);
      else this.#openByPrefix.delete(prefix);
    });
  }
}

/** A stream lasts no longer than the token that it was opened with. */
export function endAt(instant: number, response: ServerResponse): void {
  const wait = Math.min(Math.max(0, instant - Date.now()), TIMER_MS_MAX);
  const timer = setTimeout(() => response.end(), wait).unref();
  response.once("close", () => clearTimeout(timer));
}
