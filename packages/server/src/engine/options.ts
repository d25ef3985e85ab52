/** What an engine is put together from. */
import type { CoreSettings } from "../core/step.ts";
import type { Logger } from "../logger.ts";
import type { Store } from "../stores/store.ts";
import type { Pusher } from "../transports/router.ts";
import type { Clock } from "./clock.ts";
import type { Observer } from "./engine.ts";

export interface GroupCommitOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly settings: CoreSettings;
  readonly serverUrl: string | undefined;
  /** Brings messages to `http://` and `https://` addresses. Without it they are not brought there. */
  readonly push?: Pusher | undefined;
  readonly logger: Logger;
  /**
   * How long those who held claims when the last process ended may take to come back, in ms. With 0 all claims
   * are free at once: right when they were held by that very process.
   */
  readonly restartGraceMs: number;
  /** How long ago a tree must have ended to be forgotten, in ms. Absent: nothing is. */
  readonly retentionAgeMs?: number | undefined;
  /** Whether tasks that wait for each other are ended. Default true. */
  readonly breakCycles?: boolean | undefined;
  readonly observer?: Observer | undefined;
  /** Default 8 MiB. */
  readonly replyBytesMax?: number | undefined;
}
