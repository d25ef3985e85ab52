/** Puts together what is at `/ui`. */
import { readFileSync } from "node:fs";
import { pageFolder as ownPage } from "@resonate-ts/dashboard";
import { Activity } from "./dashboard/activity.ts";
import { Live } from "./dashboard/live.ts";
import type { Engine, Observer } from "./engine/engine.ts";
import type { Inside } from "./engine/inside.ts";
import type { Authenticator } from "./http/auth.ts";
import { Dashboard } from "./http/dashboard.ts";
import { Page } from "./http/page.ts";
import type { Logger } from "./logger.ts";
import type { Settings } from "./settings.ts";

interface UiOptions {
  readonly auth: Authenticator;
  readonly logger: Logger;
  readonly pageFolder?: string | undefined;
}

export interface OpenUi {
  readonly page: Page;
  readonly dashboard: Dashboard;
}

/** It sees what happens from before the engine is open. */
export class Ui implements Observer {
  readonly #storage: Settings["storage.type"];
  readonly #activity = new Activity(() => this.#inside?.now() ?? Date.now());
  #inside: Inside | undefined;
  #live: Live | undefined;

  constructor(settings: Pick<Settings, "storage.type">) {
    this.#storage = settings["storage.type"];
  }

  committing(): ReturnType<Observer["committing"]> {
    return (committed) => {
      this.#activity.committed(committed);
      this.#live?.written(committed.changes);
    };
  }

  /** A request has been answered. */
  answered(seconds: number): void {
    this.#activity.answered(seconds);
  }

  /** Nothing where the engine shows nothing of itself. */
  open(engine: Engine, { auth, logger, pageFolder = ownPage }: UiOptions): OpenUi | undefined {
    const { inside } = engine;
    if (!inside) return undefined;
    this.#inside = inside;
    const activity = this.#activity;
    const failed = (error: unknown) => logger.warn({ error }, "nobody could be told what changed");
    const live = new Live({ inside, activity, failed });
    this.#live = live;
    const startedAt = inside.now();
    const facts = () => ({ version: ownVersion(), startedAt, storage: this.#storage });
    const dashboard = new Dashboard({ engine, inside, activity, live, facts, auth });
    return { page: new Page(pageFolder), dashboard };
  }

  close(): void {
    this.#live?.close();
  }
}

/** Of this package. */
export function ownVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { version: string }; // Our own file.
  return version;
}
