/** What must not happen: values that act, a page for whoever has no token, and silence when the server is gone. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { encoded, invocation, Server } from "../../scripts/page/gallery.ts";
import { HOSTILE, isWholeId } from "./hostile.ts";
import { open, rootStatus, stage } from "./stage.ts";

describe("hostile text", () => {
  const target = "poll://any@nobody";

  test(`of ${HOSTILE.length} kinds is text in ids, functions, tags, inputs, results and errors`, async () => {
    expect(HOSTILE.length).toBeGreaterThanOrEqual(60);
    const root = invocation("hostile", { func: HOSTILE[0] ?? "", args: HOSTILE, target });
    const children = HOSTILE.map((text, n) => ({
      ...invocation("", { func: text, args: [text, { [text]: text }] }),
      id: `hostile:${isWholeId(text) ? text : n}`,
      tags: {
        "resonate:origin": "hostile",
        "resonate:parent": "hostile",
        note: text.slice(0, 200),
      },
    }));
    const created = [root, ...children].map((one) => ["promise.create", one] as const);
    await stage.server.askAll(created);
    const settled = children.map(({ id }, n) => {
      const value = { data: encoded({ name: "Error", message: HOSTILE[n], stack: HOSTILE[n] }) };
      const state = n % 2 === 0 ? "rejected" : "resolved";
      return ["promise.settle", { id, state, value }] as const;
    });
    await stage.server.askAll(settled);
    const asked = watchRequests();

    await open("/run?id=hostile&view=timeline");
    await stage.page.locator(".payload").first().waitFor();
    const chosen = stage.page.locator(".panel header .id.whole");
    const seen = new Set<string | null>();
    for (const _ of children) {
      const before = await chosen.textContent();
      await stage.page.keyboard.press("j");
      await expect.poll(() => chosen.textContent()).not.toBe(before);
      await stage.page.locator(".panel .facts").filter({ hasText: "note" }).waitFor();
      seen.add(await chosen.textContent());
    }
    expect(seen).toEqual(new Set(children.map(({ id }) => id)));
    await stage.page.keyboard.press("g");
    await stage.page.locator(".box").first().waitFor();
    await open("/executions?idPrefix=hostile");
    await stage.page.locator(".row").first().waitFor();

    await expectNothingHappened(asked);
  }, 60_000);

  test("in names of groups, workers, schedules and crons is text, too", async () => {
    const asked = watchRequests();
    const groups = HOSTILE.slice(0, 20);
    const calls = groups.map((group, n) =>
      invocation(`grouped-${n}`, {
        func: group,
        args: [],
        target: `poll://any@${encodeURIComponent(group)}`,
      }),
    );
    await stage.server.askAll(calls.map((one) => ["promise.create", one] as const));
    const schedules = groups.map((text) => ({
      id: text.replaceAll(":", ";"),
      cron: "0 3 * * *",
      promiseId: "{{.id}}.{{.timestamp}}",
      promiseTimeout: 1_000,
      promiseParam: {},
      promiseTags: { "resonate:target": target },
    }));
    await stage.server.askAll(schedules.map((one) => ["schedule.create", one] as const));

    const connections = new AbortController();
    for (const text of groups) {
      const path = `/poll/hostile-workers/${encodeURIComponent(text)}`;
      await fetch(`${stage.server.url}${path}`, { signal: connections.signal });
    }

    await open("/");
    await stage.page.locator(".group").nth(5).waitFor();
    const hostile = stage.page.locator(".group", { hasText: "hostile-workers" });
    await expect.poll(() => hostile.locator("tbody tr").count()).toBe(groups.length);
    connections.abort();
    await open("/schedules");
    await stage.page.locator("tbody tr").nth(5).waitFor();

    await expectNothingHappened(asked);
  });

  test("of 1.5 MB is shown cut, and said to be", async () => {
    const value = { data: encoded("<img src=x onerror=alert(1)>".repeat(50_000)) };
    await stage.server.ask("promise.create", invocation("large", { func: "f", args: [], target }));
    await stage.server.ask("promise.settle", { id: "large", state: "resolved", value });
    await open("/run?id=large");

    await stage.page.locator(".note", { hasText: "Cut: all of it is" }).waitFor();
    const shown = stage.page.locator(".payload").first();
    expect((await shown.textContent())?.length).toBeLessThan(5_000);
    await stage.page.getByRole("button", { name: /^Show all/ }).click();
    await expect.poll(async () => (await shown.textContent())?.length).toBeGreaterThan(100_000);
    expect((await shown.textContent())?.length).toBeLessThan(600_000);
  });

  /** What the page asks of anything but its own server, from now on. */
  function watchRequests(): readonly string[] {
    const foreign: string[] = [];
    stage.page.on("request", (request) => {
      const url = request.url();
      const own = [`${stage.server.url}/ui/`, `${stage.server.url}/ui`];
      if (!own.some((start) => url.startsWith(start))) foreign.push(url);
    });
    return foreign;
  }

  async function expectNothingHappened(foreign: readonly string[]): Promise<void> {
    expect(foreign).toEqual([]);
    expect(await stage.page.evaluate("window.hit ?? null")).toBeNull();
    const made = "#page :is(script, img, iframe, object, embed, style, form[action], base, video)";
    expect(await stage.page.locator(made).count()).toBe(0);
    for (const link of await stage.page.locator("#page a[target]").all()) {
      expect(await link.getAttribute("href")).toMatch(/^https?:/);
      expect(await link.getAttribute("rel")).toContain("noopener");
    }
  }
});

test("a server that wants a token is asked with the one that is entered, in this tab only", async () => {
  const folder = mkdtempSync(join(tmpdir(), "resonate-token-"));
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const key = join(folder, "key.pem");
  writeFileSync(key, publicKey.export({ type: "spki", format: "pem" }));
  const token = await new SignJWT({ role: "admin" })
    .setProtectedHeader({ alg: "EdDSA" })
    .setExpirationTime("1h")
    .sign(privateKey);
  const guarded = await Server.start("--auth-publickey", key);
  try {
    const { page } = stage;
    await page.goto(`${guarded.url}/ui/executions`);
    await page.locator("[name=token]").fill("not a token");
    await page.keyboard.press("Enter");
    await page.getByText("did not take the last token").waitFor();
    await page.locator("[name=token]").fill(token);
    await page.keyboard.press("Enter");
    await page.getByText("Nothing has been run yet").waitFor();
    await page.locator('.connection[data-kind="open"]').waitFor();
    await page.reload();
    await page.getByText("Nothing has been run yet").waitFor();
    expect(await page.evaluate("JSON.stringify(localStorage) + document.cookie")).not.toContain(
      token,
    );
    expect(page.url()).not.toContain(token);

    const other = await stage.context.newPage();
    await other.goto(`${guarded.url}/ui/`);
    await other.locator("[name=token]").waitFor();
  } finally {
    await guarded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a server that is gone is said to be, and what happened meanwhile is shown when it is back", async () => {
  const { page } = stage;
  const mortal = await Server.start();
  try {
    const target = "poll://any@nobody";
    await mortal.ask("promise.create", invocation("left", { func: "f", args: [], target }));
    await page.goto(`${mortal.url}/ui/run?id=left`);
    await page.locator('.connection[data-kind="open"]').waitFor();
    await mortal.kill();
    await page.getByText("Not connected").waitFor();
    await page.locator('.box[data-id="left"]').waitFor();

    await mortal.startAgain();
    await mortal.ask("promise.settle", { id: "left", state: "resolved", value: {} });
    await page.locator('.connection[data-kind="open"]').waitFor();
    await rootStatus().getByText("done").waitFor();
  } finally {
    await mortal.stop();
  }
});
