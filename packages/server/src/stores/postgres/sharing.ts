/**
 * Several servers on one database.
 *
 * I1. Nothing depends on a hint: a look, at least once a second, finds what there is to find.
 * I2. A server takes another one to be gone only when it has itself been looking all the time: after the database was
 *     away, everyone has said nothing for a while.
 */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { promiseOf, type Row, taskOf } from "../rows.ts";
import {
  type Hints,
  type Place,
  type Settled,
  type Sharing,
  type Sight,
  StoreDamagedError,
  type Survey,
} from "../store.ts";
import { ELSEWHERE, GONE_MS, LOOK, NOTIFY } from "./statements.ts";
import { ELSEWHERE_ALL, readWaiting, WAITING } from "./survey.ts";
import type { Query } from "./transaction.ts";

/** Longest time between two looks, in ms, after which others may have been unable to look, too. */
const GAP_MS = 2_000;
/** Shortest time between two hints, in ms: what comes up meanwhile goes together. */
const HINT_PAUSE_MS = 20;
/** Longest payload, in characters: PostgreSQL's limit is 8,000 bytes, and one character is up to 4. */
const PAYLOAD_MAX = 1_900;
/** How long before another connection is opened to listen on, in ms. */
const LISTEN_AGAIN_MS = 1_000;
/** After what it sent has not come back to it for so long, in ms, a listening connection is taken to be dead. */
const ECHO_MS = 3_000;

export interface SharingOptions {
  readonly query: Query;
  readonly url: string;
  /** Whether hints are sent and heard; not through a pooler that gives each transaction another connection. */
  readonly hints: boolean;
  /** The database's clock said so, in ms since the epoch. */
  readonly time: (instant: number) => void;
}

export class PostgresSharing implements Sharing {
  readonly #options: SharingOptions;
  /** This server, among those on the database. */
  readonly #name = randomUUID();
  readonly #groups = new Set<string>();
  #settled: Settled[] = [];
  #sentAt = 0;
  /** Who it has said is here. */
  #said: string | undefined;
  #lookedAt = 0;
  /** Since when there has been a look every second or so. */
  #lookingSince = 0;
  #sending: NodeJS.Timeout | undefined;
  #listener: pg.Client | undefined;
  #again: NodeJS.Timeout | undefined;
  /** Whether a connection listens. */
  #hears = false;
  /** Since when this server has not heard what it sent itself. */
  #unheardSince: number | undefined;
  /** Gives up the listening connection for another one. */
  #listenAnew: () => void = () => {};
  #closed = false;

  constructor(options: SharingOptions) {
    this.#options = options;
  }

  async look({ at, places, groups, wanting }: Parameters<Sharing["look"]>[0]): Promise<Sight> {
    const names = places.map(nameOf);
    const said = names.join();
    const news = said === this.#said ? null : names;
    const values = [this.#name, at, news, wanting, groups, this.#mayJudge(at)];
    const rows = await this.#options.query(LOOK, values, "look");
    const of = (what: string) => rows.filter((row) => row["what"] === what);
    // Where this server had been forgotten, all has to be said again.
    this.#said = news === null && of("new").length > 0 ? undefined : said;
    this.#lookedAt = at;
    if (performance.now() - (this.#unheardSince ?? Number.POSITIVE_INFINITY) > ECHO_MS)
      this.#listenAnew();
    for (const row of of("clock")) this.#options.time(Number(row["at"]));
    const [due] = of("due");
    return {
      pending: readable(of("pending"), (row) => ({ task: taskOf(row), promise: promiseOf(row) })),
      notices: readable(of("notice"), (row) => ({
        promise: promiseOf(row),
        address: String(row["text"]),
      })),
      abandoned: of("abandoned").map((row) => placeOf(String(row["text"]))),
      ...(typeof due?.["at"] === "number" && { dueAt: due["at"] }),
    };
  }

  #mayJudge(at: number): boolean {
    if (at - this.#lookedAt > GAP_MS) this.#lookingSince = at;
    return at - this.#lookingSince > GONE_MS;
  }

  async survey({ at, limit }: Parameters<Sharing["survey"]>[0]): Promise<Survey> {
    const { query } = this.#options;
    const places = await query(ELSEWHERE_ALL, [this.#name, at], "elsewhere all");
    const waiting = await query(WAITING, [limit + 1], "waiting");
    return {
      elsewhere: places.map((row) => placeOf(String(row["place"]))),
      waiting: readWaiting(waiting, limit),
    };
  }

  async elsewhere(place: Place, at: number): Promise<boolean> {
    const values = [this.#name, nameOf(place), at];
    return (await this.#options.query(ELSEWHERE, values, "elsewhere")).length > 0;
  }

  hint({ groups = [], settled = [] }: Partial<Hints>): void {
    if (!this.#options.hints || this.#closed) return;
    for (const group of groups) this.#groups.add(group);
    this.#settled.push(...settled);
    const wait = Math.max(0, this.#sentAt + HINT_PAUSE_MS - performance.now());
    this.#sending ??= setTimeout(() => this.#send(), wait).unref();
  }

  listen(heard: (hints: Hints) => void): void {
    if (!this.#options.hints || this.#closed) return;
    const listener = new pg.Client({ connectionString: this.#options.url, keepAlive: true });
    this.#listener = listener;
    const again = () => {
      // Both an error and the end are told of one connection.
      if (this.#listener !== listener) return;
      this.#listener = undefined;
      this.#hears = false;
      this.#unheardSince = undefined;
      void listener.end().catch(() => {});
      if (this.#closed) return;
      this.#again = setTimeout(() => this.listen(heard), LISTEN_AGAIN_MS).unref();
    };
    this.#listenAnew = again;
    listener.on("error", again);
    listener.on("end", again);
    listener.on("notification", ({ payload = "" }) => {
      const hints = hintsIn(payload);
      if (hints?.from === this.#name) this.#unheardSince = undefined;
      else if (hints) heard(hints);
    });
    listener
      .connect()
      .then(() => listener.query("LISTEN resonate"))
      .then(() => {
        this.#hears = this.#listener === listener;
      })
      .catch(again);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#sending);
    clearTimeout(this.#again);
    await this.#listener?.end().catch(() => {});
  }

  #send(): void {
    const hints = { groups: [...this.#groups], settled: this.#settled };
    this.#sending = undefined;
    this.#sentAt = performance.now();
    this.#groups.clear();
    this.#settled = [];
    // A network that drops a connection without a word is found out by what does not come back.
    if (this.#hears) this.#unheardSince ??= performance.now();
    for (const payload of payloadsOf(hints, this.#name)) {
      // Whoever should have heard of it finds it.
      this.#options.query(NOTIFY, [payload], "notify").catch(() => {});
    }
  }
}

function nameOf({ group, id }: Place): string {
  return JSON.stringify([group, id]);
}

function placeOf(name: string): Place {
  const [group, id] = JSON.parse(name) as [string, string]; // As `nameOf` writes it.
  return { group, id };
}

interface Payload {
  readonly from: string;
  readonly groups: string[];
  readonly settled: Settled[];
}

/** Texts that are short enough, one after the other; what is too long by itself is left out. */
function payloadsOf({ groups, settled }: Hints, from: string): readonly string[] {
  const payloads: Payload[] = [];
  let room = 0;
  const withRoom = (length: number): Payload | undefined => {
    if (length > PAYLOAD_MAX) return undefined;
    if (length > room) {
      payloads.push({ from, groups: [], settled: [] });
      room = PAYLOAD_MAX;
    }
    room -= length;
    return payloads.at(-1);
  };
  for (const group of groups) withRoom(JSON.stringify(group).length + 1)?.groups.push(group);
  for (const one of settled) withRoom(JSON.stringify(one).length + 1)?.settled.push(one);
  return payloads.map((payload) => JSON.stringify(payload));
}

/** What a server of ours has sent; `undefined` for what is none of ours. */
function hintsIn(payload: string): Payload | undefined {
  try {
    return JSON.parse(payload) as Payload; // As `payloadsOf` writes it.
  } catch {
    return undefined;
  }
}

/** What can be read. Of the rest another step will say that it is damaged. */
function readable<T>(rows: readonly Row[], read: (row: Row) => T): T[] {
  return rows.flatMap((row) => {
    try {
      return [read(row)];
    } catch (error) {
      if (error instanceof StoreDamagedError) return [];
      throw error;
    }
  });
}
