/** A server, its workers and a browser, each a process of its own, and what tests ask of them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  type Overview,
  PROTOCOL_VERSION,
  type RequestData,
  type RequestKind,
  type ResponseData,
  TAG,
} from "@resonate-ts/protocol";
import sparticuz from "@sparticuz/chromium";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { Program } from "../demo/program.ts";

/** Between two questions whether a worker is connected. */
const ASK_AGAIN_MS = 20;
/** As little as it needs to run as root, with no display: what it checks for a person it checks here, too. */
const ARGUMENTS = ["--no-sandbox", "--no-zygote", "--disable-gpu", "--font-render-hinting=none"];

export async function openBrowser(): Promise<Browser> {
  const executablePath = await sparticuz.executablePath();
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

export interface PageOptions {
  readonly colorScheme?: "light" | "dark";
  /** What the page has complained about; nothing that is sent to the server and refused. */
  readonly complaints?: string[];
  /** Of the window, in pixels. Default 1,440 by 860. */
  readonly size?: { readonly width: number; readonly height: number };
}

/** A page of its own: no other shares what it stores. */
export async function openPage(
  browser: Browser,
  { colorScheme = "light", complaints = [], size }: PageOptions = {},
): Promise<{ readonly page: Page; readonly context: BrowserContext }> {
  const viewport = size ?? { width: 1_440, height: 860 };
  const context = await browser.newContext({ viewport, colorScheme, locale: "en-GB" });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    // A refusal is a part of some tests, and the browser notes each.
    const expected = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !expected) complaints.push(message.text());
  });
  return { page, context };
}

export class Server {
  readonly url: string;
  readonly #folder: string;
  readonly #args: readonly string[];
  #program: Program;

  private constructor(
    url: string,
    program: Program,
    { folder, args }: { readonly folder: string; readonly args: readonly string[] },
  ) {
    this.url = url;
    this.#program = program;
    this.#folder = folder;
    this.#args = args;
  }

  /** On a free port, with its data in a file. */
  static async start(...args: readonly string[]): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), "resonate-page-"));
    const all = ["--storage-sqlite-path", join(folder, "server.db"), ...args];
    const program = run(["--server-port", "0", ...all]);
    const url = /http:\S+/.exec((await program.line(/listens on/)).text)?.[0] ?? "";
    return new Server(url, program, { folder, args: all });
  }

  /** Ends it with no time to say goodbye. */
  async kill(): Promise<void> {
    this.#program.kill("SIGKILL");
    await this.#program.exited;
  }

  /** Starts it on the port it had, with the data it had. */
  async startAgain(): Promise<void> {
    this.#program = run(["--server-port", new URL(this.url).port, ...this.#args]);
    await this.#program.line(/listens on/);
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async worker(name: string): Promise<Program> {
    const entry = "scripts/page/worker.ts";
    const worker = new Program({ entry, args: [name], env: { RESONATE_URL: this.url } });
    await worker.line(/ serves /);
    while (!(await this.#isConnected(`${name}-${worker.pid}`))) await setTimeout(ASK_AGAIN_MS);
    return worker;
  }

  async #isConnected(id: string): Promise<boolean> {
    const response = await fetch(`${this.url}/ui/api/overview`);
    const { groups } = (await response.json()) as Overview; // What the server answers there.
    const workers = groups.flatMap((group) => group.workers);
    return workers.some((worker) => worker.id === id && worker.functions !== undefined);
  }

  /** The data of the answer to one request. @throws Error with what the server said, when it refuses. */
  async ask<K extends RequestKind>(
    kind: K,
    data: Partial<RequestData[K]>,
  ): Promise<ResponseData[K]> {
    const [answer] = await this.askAll([[kind, data]]);
    return answer as ResponseData[K]; // The protocol says what answers this kind.
  }

  /** The same for many, at once. */
  async askAll(asked: readonly (readonly [RequestKind, unknown])[]): Promise<readonly unknown[]> {
    const head = { corrId: "test", version: PROTOCOL_VERSION };
    const body = JSON.stringify(asked.map(([kind, data]) => ({ kind, head, data })));
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(this.url, { method: "POST", headers, body });
    // What a server of ours answers to a batch.
    const answers = (await response.json()) as { head: { status: number }; data: unknown }[];
    return answers.map(({ head: { status }, data }) => {
      if (status !== 200) throw new Error(`${status}: ${JSON.stringify(data)}`);
      return data;
    });
  }

  /** Starts a function as `resonate invoke` does. */
  async invoke(id: string, func: string, ...args: readonly unknown[]): Promise<void> {
    await this.ask("promise.create", invocation(id, { func, args }));
  }
}

interface Call {
  readonly func: string;
  readonly args: readonly unknown[];
  readonly target?: string;
}

export function invocation(id: string, { func, args, target = "poll://any@gallery" }: Call) {
  return {
    id,
    timeoutAt: Date.now() + 600_000,
    param: { data: encoded({ func, args, version: 1 }) },
    tags: {
      [TAG.origin]: id,
      [TAG.branch]: id,
      [TAG.parent]: id,
      [TAG.scope]: "global",
      [TAG.target]: target,
    },
  };
}

/** A payload's data, as SDKs write it. */
export function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64");
}

function run(args: readonly string[]): Program {
  return new Program({ entry: "packages/cli/src/main.ts", args: ["dev", ...args] });
}
