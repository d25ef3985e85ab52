/** `tsx scripts/pictures.ts`: takes the pictures of the page in docs/pictures, of a real server with real workers. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { stopPrograms } from "./demo/program.ts";
import { invocation, openBrowser, openPage, Server } from "./page/gallery.ts";
import { buildPage } from "./page/page-build.ts";

const FOLDER = fileURLToPath(new URL("../docs/pictures/", import.meta.url));
const SIZE = { width: 1_240, height: 740 };

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly look?: "light" | "dark";
  /** What is there when the picture is taken. */
  readonly when: string;
  readonly keys?: readonly string[];
  /** A call that is made when the page is looking: it knows only the workers that it has seen. */
  readonly call?: readonly [func: string, ...args: readonly unknown[]];
}

const PICTURES: readonly Picture[] = [
  {
    name: "fan-out",
    path: "/run?id=newsletter-may",
    call: ["newsletter", 1_000, 1_500],
    when: '.box.many:has([data-status="done"]):has(.status[data-status="running"])',
  },
  {
    name: "recursion",
    path: "/run?id=dive-100",
    call: ["dive", 100, 60],
    look: "dark",
    when: '.box.many:has([data-status="waiting"]):has(.status[data-status="done"])',
  },
  {
    name: "graph",
    path: "/run?id=order-17&sel=order-17:1",
    call: ["order", "a teapot"],
    when: '.box[data-kind="promise"]',
  },
  {
    name: "timeline",
    path: "/run?id=order-18&view=timeline",
    call: ["order", "a sofa"],
    look: "dark",
    when: ".time-row .bar[data-status=open]",
  },
  { name: "why", path: "/run?id=report-may", when: '.why[data-verdict="stuck"] li' },
  { name: "executions", path: "/executions", when: ".row >> nth=8" },
  { name: "overview", path: "/", look: "dark", when: ".group tbody tr >> nth=2" },
  { name: "schedules", path: "/schedules", when: "tbody tr" },
  { name: "invoke", path: "/", keys: ["i"], when: "dialog [name=func]" },
];

/** Until everything that glides has come to its place; what breathes does so for ever. */
const ARRIVED = `Promise.all(document.getAnimations()
  .filter(({ effect }) => effect.getComputedTiming().iterations === 1)
  .map(({ finished }) => finished))`;

mkdirSync(FOLDER, { recursive: true });
const [browser, server] = await Promise.all([openBrowser(), Server.start(), buildPage()]);
try {
  await Promise.all(["ada", "bob", "cyd"].map((name) => server.worker(name)));
  await settleSome();
  for (const picture of PICTURES) await take(picture);
} finally {
  await browser.close();
  await server.stop();
  await stopPrograms();
}

/** Runs that ended in every way, one that cannot go on, and a schedule. */
async function settleSome(): Promise<void> {
  const target = "poll://any@reporters";
  const waiting = invocation("report-may", { func: "report", args: [{ month: 5 }], target });
  await server.ask("promise.create", waiting);
  for (const item of ["a lamp", "a chair", "two cups"]) {
    await server.invoke(`echo-${item.replace(" ", "-")}`, "echo", item);
  }
  await server.invoke("order-16", "order", "a kettle");
  await server.ask("promise.settle", { id: "order-16", state: "rejected_canceled", value: {} });
  const halted = invocation("import-9", { func: "import", args: [], target });
  await server.ask("promise.create", halted);
  await server.ask("task.halt", { id: "import-9" });
  await server.ask("promise.create", invocation("export-3", { func: "export", args: [], target }));
  await server.ask("promise.settle", { id: "export-3", state: "rejected", value: {} });
  await server.ask("schedule.create", {
    id: "nightly-report",
    cron: "0 3 * * *",
    promiseId: "{{.id}}.{{.timestamp}}",
    promiseTimeout: 3_600_000,
    promiseParam: {},
    promiseTags: { "resonate:target": target },
  });
}

async function take({ name, path, call, look = "light", when, keys = [] }: Picture): Promise<void> {
  const { page, context } = await openPage(browser as Browser, { colorScheme: look, size: SIZE });
  await page.goto(`${server.url}/ui${path}`);
  await page.locator('.connection[data-kind="open"]').waitFor();
  if (call) await server.invoke(path.replace(/.*\?id=([^&]*).*/, "$1"), ...call);
  for (const key of keys) await page.keyboard.press(key);
  await page.locator(when).first().waitFor();
  await page.evaluate(ARRIVED);
  await page.screenshot({ path: `${FOLDER}${name}.png` });
  await context.close();
}
