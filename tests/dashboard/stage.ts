/** What the tests of the page share: one browser, one server, three workers; and a page for each test. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { type Program, stopPrograms } from "../../scripts/demo/program.ts";
import { openBrowser, openPage, Server } from "../../scripts/page/gallery.ts";
import { buildPage } from "../../scripts/page/page-build.ts";

interface Stage {
  browser: Browser;
  server: Server;
  page: Page;
  context: BrowserContext;
  readonly workers: Map<string, Program>;
  /** What a page has complained about: errors, dialogs, breaches of its policy. Each test must end with none. */
  readonly complaints: string[];
}

/** Filled before the first test. */
export const stage = { complaints: [], workers: new Map() } as Partial<Stage> as Stage;

/** To be called once, by the file of the tests. */
export function setStage(): void {
  beforeAll(async () => {
    [stage.browser, stage.server] = await Promise.all([openBrowser(), Server.start(), buildPage()]);
    const names = ["ada", "bob", "cyd"];
    const workers = await Promise.all(names.map((name) => stage.server.worker(name)));
    for (const [at, name] of names.entries()) {
      const worker = workers[at];
      if (worker) stage.workers.set(name, worker);
    }
  }, 60_000);
  afterAll(async () => {
    await stage.browser?.close();
    await stage.server?.stop();
    await stopPrograms();
  });
  beforeEach(async () => {
    stage.complaints.length = 0;
    const { complaints } = stage;
    Object.assign(stage, await openPage(stage.browser, { complaints }));
  });
  afterEach(async () => {
    await stage.context.close();
    expect(stage.complaints).toEqual([]);
  });
}

/** Goes to a place of the page, and waits until it is connected: then it listens to keys, too. */
export async function open(path: string): Promise<void> {
  await stage.page.goto(`${stage.server.url}/ui${path}`);
  await stage.page.locator('.connection[data-kind="open"]').waitFor();
}

/** The status of the run that is shown. */
export function rootStatus() {
  return stage.page.locator(".run-header .line").first().locator(".status");
}
