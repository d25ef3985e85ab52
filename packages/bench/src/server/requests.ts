/** The requests that are sent: durable promises with random ids and small values. */
import { randomUUID } from "node:crypto";
import { PROTOCOL_VERSION } from "@resonate-ts/protocol";

const TIMEOUT_AT = Date.now() + 365 * 86_400_000;
const PARAM = {
  data: Buffer.from(JSON.stringify({ func: "bench", args: [1, 2] })).toString("base64"),
};
const VALUE = { data: Buffer.from(JSON.stringify("done")).toString("base64") };

export function creating(): string {
  return JSON.stringify(create(randomUUID()));
}

export function creatingMany(count: number): string {
  return JSON.stringify(Array.from({ length: count }, () => create(randomUUID())));
}

/** So many promises created, and settled. */
export function settlingMany(count: number): string {
  const ids = Array.from({ length: count }, () => randomUUID());
  return JSON.stringify([...ids.map(create), ...ids.map(settle)]);
}

function create(id: string) {
  return envelope("promise.create", { id, timeoutAt: TIMEOUT_AT, param: PARAM, tags: {} });
}

function settle(id: string) {
  return envelope("promise.settle", { id, state: "resolved", value: VALUE });
}

function envelope(kind: string, data: object) {
  return { kind, head: { corrId: "b", version: PROTOCOL_VERSION }, data };
}
