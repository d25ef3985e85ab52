/** A run: its graph, its timeline, and what can be done about it. */
import { describe, expect, test } from "vitest";
import { encoded, invocation } from "../../scripts/page/gallery.ts";
import { open, rootStatus, stage } from "./stage.ts";

describe("a run", () => {
  test("is invoked by a form, and its fan-out of 300 is one box that is seen to fill", async () => {
    await open("/");
    await stage.page.keyboard.press("i");
    await stage.page.locator("[name=id]").fill("wide");
    await stage.page.locator("[name=func]").fill("newsletter");
    await stage.page.locator("[name=args]").fill("[300, 700]");
    await expect.poll(() => stage.page.locator("[name=target]").inputValue()).toBe("gallery");
    await stage.page.getByRole("button", { name: "Invoke", exact: true }).last().click();

    const box = stage.page.locator(".box.many");
    await box.getByText("× 300").waitFor();
    await box.getByText("running").waitFor();
    expect(await stage.page.locator(".workers .worker").count()).toBe(3);
    await box.getByText("300 done").waitFor();
    await rootStatus().getByText("done").waitFor();
    await stage.page.locator(".payload", { hasText: /^44850$/ }).waitFor();
    expect(await stage.page.locator(".box").count()).toBe(2);
  });

  test("under an id that exists says so, in the form", async () => {
    await stage.server.invoke("taken", "echo", 1);
    await open("/executions");
    await stage.page.keyboard.press("i");
    await stage.page.locator("[name=id]").fill("taken");
    await stage.page.locator("[name=func]").fill("echo");
    await stage.page.keyboard.press("Enter");

    await stage.page.getByText("taken exists already. Nothing was changed.").waitFor();
  });

  test("that recurses is a chain, with a cell for each call, also while it grows", async () => {
    await stage.server.invoke("deep", "dive", 40, 20);
    await open("/run?id=deep");

    await stage.page.locator(".box.many").getByText("40 deep").waitFor();
    await rootStatus().getByText("done").waitFor();
    await stage.page.getByRole("button", { name: "Show each call" }).click();
    await stage.page.locator('.box[data-id="deep:1.1"]').waitFor();
  });

  test("whose worker is killed moves to another one, and that is seen", async () => {
    await stage.server.invoke("moving", "newsletter", 90, 1_500);
    await open("/run?id=moving");
    const load = (name: string) => stage.page.locator(`.workers .worker[data-name^="${name}-"] b`);
    await load("cyd").waitFor();
    const before = Number(await load("cyd").textContent());
    expect(before).toBeGreaterThan(0);

    stage.workers.get("cyd")?.kill("SIGKILL");
    await stage.page.locator('.workers .worker[data-name^="cyd-"]').waitFor({ state: "detached" });
    const rest = Number(await load("ada").textContent()) + Number(await load("bob").textContent());
    expect(rest).toBeGreaterThan(0);
    await stage.page.locator(".box.many").getByText("90 done").waitFor();
  });

  test("of 10,000 children is a picture of a few boxes, and a timeline of a few rows", async () => {
    const target = "poll://any@nobody";
    await stage.server.ask(
      "promise.create",
      invocation("huge", { func: "huge", args: [], target }),
    );
    const tags = {
      "resonate:origin": "huge",
      "resonate:parent": "huge",
      "resonate:branch": "huge",
    };
    const children = Array.from({ length: 10_000 }, (_, n) => {
      const param = { data: encoded({ func: "page", args: [n], version: 1 }) };
      return { id: `huge:${n}`, timeoutAt: Date.now() + 600_000, param, tags };
    });
    for (let at = 0; at < children.length; at += 1_000) {
      const part = children.slice(at, at + 1_000);
      await stage.server.askAll(part.map((child) => ["promise.create", child] as const));
    }

    await open("/run?id=huge");
    await stage.page.locator(".box.many").getByText("× 10 000".replace(" ", "\u202f")).waitFor();
    expect(await stage.page.locator("#page *").count()).toBeLessThan(400);
    await stage.page.keyboard.press("g");
    await stage.page.locator(".time-row").first().waitFor();
    expect(await stage.page.locator(".time-row").count()).toBeLessThan(80);
    await stage.page.locator(".timeline .list").evaluate((list) => list.scrollTo(0, 1e9));
    await stage.page.locator('.time-row[data-id="huge:9999"]').waitFor();
  });

  test("that does not move says why", async () => {
    const target = "poll://any@reporters";
    await stage.server.ask(
      "promise.create",
      invocation("stuck", { func: "report", args: [], target }),
    );
    await open("/run?id=stuck");

    await stage.page.locator('.why[data-verdict="stuck"]').getByText("reporters").first().waitFor();
  });

  test("keeps its view and what is selected when the page is read again", async () => {
    await stage.server.invoke("kept", "newsletter", 3, 0);
    await open("/run?id=kept");
    await stage.page.locator('.box[data-id="kept:1"]').click();
    await stage.page.keyboard.press("g");
    await stage.page.keyboard.press("c");
    await stage.page.locator('.time-row[data-id="kept:1"][aria-current]').waitFor();
    const address = stage.page.url();

    await stage.page.reload();
    await stage.page.locator('.time-row[data-id="kept:1"][aria-current]').waitFor();
    expect(stage.page.url()).toBe(address);
    await stage.page.locator(".panel .id.whole", { hasText: /^kept:1$/ }).waitFor();
  });

  test("that is not there says so, as the server does, and is shown as soon as it is", async () => {
    await open("/run?id=not-yet");
    await stage.page.locator(".problem", { hasText: "not-yet" }).waitFor();

    await stage.server.invoke("not-yet", "echo", 1);
    await rootStatus().getByText("done").waitFor();
  });
});

describe("actions", () => {
  test("a run is canceled with what is pending below it, after a question", async () => {
    await stage.server.invoke("asking", "ask", "why?");
    await open("/run?id=asking");
    await stage.page.locator('.box[data-kind="promise"]').waitFor();
    await stage.page.keyboard.press("x");
    await stage.page.getByRole("button", { name: "Keep it", exact: true }).click();
    await stage.page.keyboard.press("x");
    await stage.page.getByText("and what is pending below it (1)").waitFor();
    await stage.page.getByRole("button", { name: "Cancel it" }).click();

    await rootStatus().getByText("canceled").waitFor();
    const states = ["asking", "asking:0"].map((id) => stage.server.ask("promise.get", { id }));
    for (const { promise } of await Promise.all(states)) {
      expect(promise.state).toBe("rejected_canceled");
    }
  });

  test("what is halted is retried; when it cannot be, the server's words are shown", async () => {
    const target = "poll://any@nobody";
    await stage.server.ask(
      "promise.create",
      invocation("given-up", { func: "f", args: [], target }),
    );
    await stage.server.ask("task.halt", { id: "given-up" });
    await open("/run?id=given-up");
    await rootStatus().getByText("halted").waitFor();
    await stage.page.keyboard.press("r");
    await stage.server.ask("promise.settle", { id: "given-up", state: "resolved", value: {} });
    await stage.page.getByRole("button", { name: "Retry it" }).click();
    await stage.page.locator("dialog .problem").waitFor();
    await stage.page.locator("dialog .problem", { hasText: /\w{5}/ }).waitFor();

    await stage.server.ask(
      "promise.create",
      invocation("again", { func: "echo", args: [7], target }),
    );
    await stage.server.ask("task.halt", { id: "again" });
    await open("/run?id=again");
    await stage.page.getByRole("button", { name: "Retry", exact: true }).click();
    await stage.page.getByRole("button", { name: "Retry it" }).click();
    await rootStatus().getByText("queued").waitFor();
    expect((await stage.server.ask("task.get", { id: "again" })).task.state).toBe("pending");
  });
});
