/**
 * What programs do is the same at a server that has the base protocol alone. `RESONATE_EXTENSIONS=off` runs all other
 * tests so, too, those with real servers and processes included.
 */
import { describe } from "vitest";
import { defaults } from "./world.ts";

defaults.extensions = [];

// Each in a block of its own, so that it keeps its preparations to itself.
describe("ids", () => import("./ids.test.ts").then(() => undefined));
describe("styles", () => import("./styles.test.ts").then(() => undefined));
describe("faults", () => import("./faults.test.ts").then(() => undefined));
describe("retries", () => import("./retries.test.ts").then(() => undefined));
describe("replay", () => import("./replay.test.ts").then(() => undefined));
describe("combinators", () => import("./combine.test.ts").then(() => undefined));
describe("canceling", () => import("./cancel.test.ts").then(() => undefined));
describe("input", () => import("./input.test.ts").then(() => undefined));
describe("programs", () => import("./official-programs.test.ts").then(() => undefined));
describe("workers", () => import("../worker/worker.test.ts").then(() => undefined));
describe("clients", () => import("../client-handle/client.test.ts").then(() => undefined));
describe("promises", () => import("../client/promises.test.ts").then(() => undefined));
describe("trees", () => import("../client/tree.test.ts").then(() => undefined));
