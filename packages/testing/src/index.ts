/** What tests of programs with durable functions use. */
export type { Call } from "./calls.ts";
export {
  type CrashOptions,
  type CrashReport,
  crashAtEveryStep,
  type Outcome,
} from "./crash-at-every-step.ts";
export type { Duration } from "./durations.ts";
export type { Faults } from "./faults.ts";
export {
  type Functions,
  Lab,
  type LabLog,
  type LabOptions,
  type Mocked,
  openLab,
} from "./lab.ts";
export type { Exchange, Interruption, Tap } from "./lab-network.ts";
export type { LabProcess, ProcessOptions } from "./lab-process.ts";
export type { LabServer } from "./lab-server.ts";
export { type Random, seeded } from "./random.ts";
export type { RequestCounts } from "./requests.ts";
