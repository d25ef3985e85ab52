/** What all parts of a drawn run have to know. */
import type { ExecutionNode } from "@resonate-ts/protocol";
import type { Run } from "../../model/run.ts";

/** What colours tell apart. */
export type ColourBy = "worker" | "status";

export interface Scene {
  readonly run: Run;
  /** Who works, or worked last, on what. */
  readonly workers: ReadonlyMap<string, string>;
  readonly colourBy: ColourBy;
  readonly selected: string;
  readonly select: (id: string) => void;
  /** Shows it apart from its like siblings, or a chain link by link, and back. */
  readonly toggle: (keys: readonly string[]) => void;
  readonly opened: ReadonlySet<string>;
}

export interface Hover {
  readonly node: ExecutionNode;
  /** On the screen. */
  readonly x: number;
  readonly y: number;
}
