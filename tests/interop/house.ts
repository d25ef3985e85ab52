/** A server of ours, and whoever connects to it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resonate as Ours, silentLogger } from "@resonate-ts/sdk";
import { type RunningServer, readSettings, serve } from "@resonate-ts/server";
import { Resonate as Official } from "@resonatehq/sdk";

export class House {
  readonly #folder = mkdtempSync(join(tmpdir(), "resonate-interop-"));
  readonly #guests: { stop(): Promise<void> }[] = [];
  #server: RunningServer | undefined;

  static async open(): Promise<House> {
    const house = new House();
    await house.#start("0");
    return house;
  }

  get url(): string {
    if (!this.#server) throw new Error("the house is closed");
    return this.#server.url;
  }

  /** A process with the official SDK. */
  official(group = "default"): Official {
    return this.#welcome(new Official({ url: this.url, group, logLevel: "error" }));
  }

  /** A process with our SDK. */
  ours(group = "default"): Ours {
    return this.#welcome(new Ours({ url: this.url, group, logger: silentLogger }));
  }

  /** Ends the server and starts it again, on the same port and file. */
  async restart(): Promise<void> {
    const { port } = new URL(this.url);
    await this.#server?.close();
    await this.#start(port);
  }

  async close(): Promise<void> {
    for (const guest of this.#guests.splice(0)) await guest.stop();
    await this.#server?.close();
    rmSync(this.#folder, { recursive: true });
  }

  async #start(port: string): Promise<void> {
    const path = join(this.#folder, "resonate.db");
    const flags = { "server.port": port, "storage.sqlite.path": path, level: "error" };
    this.#server = await serve(readSettings({ flags }));
  }

  #welcome<G extends { stop(): Promise<void> }>(guest: G): G {
    this.#guests.push(guest);
    return guest;
  }
}
