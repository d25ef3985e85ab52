/** The engine's face: what transports and embedded clients call. */
import type {
  DebugRequest,
  DebugResponse,
  Message,
  Refusal,
  Request,
  Response,
} from "@resonate-ts/protocol";
import type { Change } from "../core/records.ts";
import type { Inside } from "./inside.ts";

/** One open stream to one process of a group. */
export interface Connection {
  readonly group: string;
  /** The process (its pid). */
  readonly id: string;
  /**
   * How long the tasks this process holds stay its own after the connection has closed, in ms. When it does
   * not come back in that time they are offered to others.
   */
  readonly graceMs: number;
  /**
   * Tells one run of a process from the next of the same id. A stream of another run means that the one before has
   * ended, and what it held is offered to others at once.
   */
  readonly incarnation?: string | undefined;
  /**
   * Whether the client knows that leases end with streams. Of two streams of one group and id that both do, the later
   * takes the place of the earlier; otherwise the earlier one keeps what is addressed to the id.
   */
  readonly lease?: boolean | undefined;
  /** Hands over one message; `false` when it cannot take it (buffer full, closed). Must not throw. */
  send(message: Message): boolean;
  /** The engine is done with this connection: another took its place, or the server stops. */
  closed(): void;
}

/** What a commit came to. */
export interface Committed {
  /** Messages to workers and to listeners. */
  readonly executes: number;
  readonly unblocks: number;
  /** Occurrences of schedules. */
  readonly occurrences: number;
  /** All that was written. */
  readonly changes: readonly Change[];
}

/** Looks on while the engine works. Must not throw. */
export interface Observer {
  /** A commit of so many steps begins. What is given back is called once it is durable, and not when it fails. */
  committing(steps: number): (committed: Committed) => void;
}

/** The extensions this server has, as announced in the `Resonate-Extensions` header. */
export const EXTENSIONS = ["batch", "lease", "delta", "claim", "then"] as const;

/** Most entries of one batch. */
export const BATCH_ENTRIES_MAX = 1_000;

export interface Engine {
  /**
   * Takes requests in order and answers in the same order, after everything they did is durable. Requests
   * that arrive together share one commit. Not atomic: each succeeds or is refused on its own.
   */
  process(requests: readonly Request[]): Promise<readonly (Response | Refusal)[]>;
  /** Opens a connection. The returned function closes it. */
  connect(connection: Connection): () => void;
  /** Present when the engine was opened for debugging. */
  readonly debugging?: {
    /** Takes one debug operation, after all requests that came before it. */
    answer(request: DebugRequest): Promise<DebugResponse | Refusal>;
  };
  /** What may be looked at beside the protocol. Absent where there is nothing of the kind. */
  readonly inside?: Inside;
  /** Number of open connections. */
  readonly connections: number;
  /** False from a write that found no room (a full disk) until one succeeds. Reads are answered all the while. */
  readonly writable: boolean;
  /** Rejects when the engine can no longer work (an unknown disk state); the process must then exit. */
  readonly failed: Promise<never>;
  /** Waits for what has been accepted, closes connections and the store. */
  close(): Promise<void>;
}
