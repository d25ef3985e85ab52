/**
 * Eight clients at once on a real server, or on two that share a database: what they see is what one of them
 * after the other could have seen, also when a server is killed meanwhile. `HISTORIES=500` is the long run.
 */
import { afterEach, describe, expect, test } from "vitest";
import { Random } from "../differential/random.ts";
import { postgresUrl } from "../support/every-store.ts";
import { check, type Verdict } from "./checker.ts";
import type { Operation } from "./history.ts";
import { RealServer } from "./real-server.ts";
import { record } from "./record.ts";
import { tampered } from "./tamper.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const histories = Number(process.env["HISTORIES"] ?? 30);
/** Of ten histories that a server survives, two see it killed. */
const KILLED = 0.2;
/** Tampered copies of each history. */
const TAMPERED = 2;

let servers: readonly RealServer[] = [];
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
});

/** Storage, and how many servers share it. */
const PLACES = [
  ["sqlite", 1],
  ["memory", 1],
  ["postgres", 2],
] as const;

describe.each(PLACES)("on %s, by %i", (type, count) => {
  test(`${histories} histories are linearizable, and tampered ones are not (SEED=${seed})`, async () => {
    const random = new Random(seed);
    const database = type === "postgres" ? await postgresUrl() : undefined;
    servers = await Promise.all(
      Array.from({ length: count }, () => RealServer.start(type, database)),
    );
    const verdicts = new Count<Verdict>();
    const lies = new Count<Verdict>();
    let pending = 0;
    let operations = 0;
    let kills = 0;
    for (let number = 0; number < histories; number++) {
      const kill = type !== "memory" && number % Math.round(1 / KILLED) === 2;
      const history = await record(servers, random, `h${number}`, kill);
      if (kill) kills++;
      operations += history.length;
      pending += history.filter(({ answer }) => answer === undefined).length;
      const verdict = check(history);
      verdicts.add(verdict);
      const shown = verdict === "not linearizable" ? JSON.stringify(history) : "";
      expect(shown, `SEED=${seed}, history ${number}`).toBe("");
      expect(changedInstants(history)).toEqual([]);
      for (let copy = 0; copy < TAMPERED; copy++) {
        const lie = tampered(history, random);
        if (lie) lies.add(check(lie));
      }
    }

    const told = lies.of("linearizable") + lies.of("not linearizable") + lies.of("inconclusive");
    const summary = {
      histories,
      operations,
      kills,
      pending,
      inconclusive: verdicts.of("inconclusive"),
      tampered: told,
      refuted: lies.of("not linearizable"),
    };
    if (process.env["HISTORIES"]) process.stdout.write(`${type}: ${JSON.stringify(summary)}\n`);
    expect(verdicts.of("inconclusive")).toBeLessThan(0.05 * histories);
    expect(told).toBeGreaterThanOrEqual(histories);
    expect(lies.of("not linearizable")).toBeGreaterThanOrEqual(0.99 * told);
  }, 3_600_000);
});

/** Ids of promises that were shown created, or settled, at more than one instant: these never change. */
function changedInstants(history: readonly Operation[]): string[] {
  const instants = new Map<string, number>();
  return history.flatMap(({ answer }) => {
    const { promise, preload = [] } = answer?.status === 200 ? answer.data : {};
    const shown = [...(promise ? [promise] : []), ...preload];
    return shown.flatMap((record) =>
      (["createdAt", "settledAt"] as const).flatMap((name) => {
        if (record[name] === undefined) return [];
        const key = `${record.id} ${name}`;
        const known = instants.get(key) ?? record[name];
        instants.set(key, known);
        return known === record[name] ? [] : [key];
      }),
    );
  });
}

class Count<K> {
  readonly #counts = new Map<K, number>();

  add(key: K): void {
    this.#counts.set(key, this.of(key) + 1);
  }

  of(key: K): number {
    return this.#counts.get(key) ?? 0;
  }
}
