/** The list of executions, the overview, schedules, and what is the same everywhere. */
import { describe, expect, test } from "vitest";
import { invocation } from "../../scripts/page/gallery.ts";
import { open, stage } from "./stage.ts";

const ROW_HEIGHT = 44;

describe("executions", () => {
  const rows = () => stage.page.locator(".executions .row");

  test("are found by the beginning of their id, and the search is in the address", async () => {
    for (const id of ["find-1", "find-2", "other-1"]) await stage.server.invoke(id, "echo", id);
    await open("/executions");
    await stage.page.locator('.row[data-id="other-1"]').waitFor();
    await stage.page.keyboard.press("/");
    await stage.page.keyboard.type("find-");

    await stage.page.locator('.row[data-id="other-1"]').waitFor({ state: "detached" });
    expect(await rows().count()).toBe(2);
    expect(new URL(stage.page.url()).searchParams.get("idPrefix")).toBe("find-");
    await stage.page.reload();
    await stage.page.locator('.row[data-id="find-1"]').waitFor();
    expect(await rows().count()).toBe(2);
    await stage.page.getByText("Failed", { exact: true }).click();
    await stage.page.getByText("Nothing like that").waitFor();
  });

  test("come in pages as one goes down, and few of them are there at a time", async () => {
    const target = "poll://any@nobody";
    const many = Array.from({ length: 350 }, (_, n) =>
      invocation(`page-${String(n).padStart(3, "0")}`, { func: "many", args: [], target }),
    );
    await stage.server.askAll(many.map((one) => ["promise.create", one] as const));
    let pages = 0;
    stage.page.on("request", (request) => {
      if (request.url().includes("/api/executions")) pages++;
    });
    await open("/executions?idPrefix=page-");
    const list = stage.page.locator(".list");
    const area = list.locator(".rows");
    const height = () => area.evaluate((element) => element.clientHeight);
    for (const known of [100, 200, 300, 350]) {
      await expect.poll(height).toBeGreaterThanOrEqual(known * ROW_HEIGHT);
      await list.evaluate((element) => element.scrollTo(0, 1e9));
    }
    await stage.page.locator('.row[data-id="page-000"]').waitFor();
    expect(await rows().count()).toBeLessThan(80);
    expect(pages).toBe(4);
  });

  test("that are new appear by themselves, and wait when one reads further down", async () => {
    await open("/executions");
    await rows().first().waitFor();
    await stage.server.invoke("fresh-1", "echo", 1);
    await stage.page.locator('.row[data-id="fresh-1"]').waitFor();

    await stage.page.locator(".list").evaluate((list) => list.scrollTo(0, 400));
    await stage.server.invoke("fresh-2", "echo", 1);
    await stage.page.getByRole("button", { name: "1 new" }).click();
    await stage.page.locator('.row[data-id="fresh-2"]').waitFor();
  });

  test("are gone through and opened with keys", async () => {
    for (const id of ["key-1", "key-2"]) await stage.server.invoke(id, "echo", id);
    await open("/executions?idPrefix=key-");
    await stage.page.locator('.row[data-id="key-1"]').waitFor();
    await stage.page.keyboard.press("j");
    await stage.page.keyboard.press("j");
    await stage.page.locator('.row[data-id="key-1"][aria-current]').waitFor();
    await stage.page.keyboard.press("k");
    await stage.page.locator('.row[data-id="key-2"][aria-current]').waitFor();
    await stage.page.keyboard.press("Enter");
    await stage.page.locator(".run-header", { hasText: "key-2" }).waitFor();
    await stage.page.keyboard.press("?");
    await stage.page.getByRole("dialog", { name: "Keys and words" }).waitFor();
    await stage.page.keyboard.press("Escape");
    await stage.page.getByRole("dialog").waitFor({ state: "detached" });
    await stage.page.keyboard.press("Escape");
    await rows().first().waitFor();
  });
});

test("the overview shows workers, what they offer, and what they have done", async () => {
  await stage.server.invoke("counted", "newsletter", 20, 0);
  await open("/");

  await stage.page.locator(".group", { hasText: "gallery" }).locator("tbody tr").nth(1).waitFor();
  await stage.page.locator(".functions code", { hasText: "dive" }).first().waitFor();
  expect(await stage.page.locator(".chart canvas").count()).toBe(3);
  const name = await stage.page.locator(".group .worker").first().textContent();
  expect(name).toMatch(/^(ada|bob)-\d+$/);
});

test("schedules are shown with their next time", async () => {
  await stage.server.ask("schedule.create", {
    id: "nightly",
    cron: "0 3 * * *",
    promiseId: "{{.id}}.{{.timestamp}}",
    promiseTimeout: 60_000,
    promiseParam: {},
    promiseTags: { "resonate:target": "poll://any@reporters" },
  });
  await open("/schedules");

  await stage.page.locator("tr", { hasText: "nightly" }).getByText("0 3 * * *").waitFor();
});

test("it is dark where the system is, and as was chosen, also when it is read again", async () => {
  const ground = () => stage.page.evaluate("getComputedStyle(document.body).backgroundColor");
  await stage.page.emulateMedia({ colorScheme: "dark" });
  await open("/");
  await stage.page.locator(".numbers").waitFor();
  expect(await ground()).toBe("rgb(13, 16, 21)");
  await stage.page.keyboard.press("t");
  await expect.poll(ground).toBe("rgb(245, 246, 248)");
  await stage.page.reload();
  await stage.page.locator(".numbers").waitFor();
  expect(await ground()).toBe("rgb(245, 246, 248)");
});
