/** What programs do is the same at a server that has the base protocol alone. */
import { describe } from "vitest";
import { defaults } from "./world.ts";

defaults.extensions = [];

// Each in a block of its own, so that it keeps its preparations to itself.
describe("ids", () => import("./ids.test.ts").then(() => undefined));
describe("styles", () => import("./styles.test.ts").then(() => undefined));
describe("faults", () => import("./faults.test.ts").then(() => undefined));
describe("retries", () => import("./retries.test.ts").then(() => undefined));
describe("programs", () => import("./official-programs.test.ts").then(() => undefined));
describe("clients", () => import("../client-handle/client.test.ts").then(() => undefined));
