/** A way over the network from one program to another, with what goes wrong there. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/**
 * - `reset`: connections are cut, and new ones at once.
 * - `silence`: nothing passes. What is sent, closed or connected meanwhile arrives when it is over, as TCP does it.
 * - `there`, `back`: the same in one direction. Nobody can connect either: that takes both.
 */
export type Fault = "reset" | "silence" | "there" | "back";

type Direction = Extract<Fault, "there" | "back">;

export class Link {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: URL;
  #fault: Fault | undefined;
  #healed = Promise.withResolvers<void>();
  /** Connections of which nothing arrives any more. */
  readonly #stranded = new WeakSet<Socket>();
  readonly #closed = Promise.withResolvers<void>();

  private constructor(server: Server, target: URL) {
    this.#server = server;
    this.#target = target;
  }

  /** To where `url` leads. */
  static async to(url: string): Promise<Link> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const link = new Link(server, new URL(url));
    server.on("connection", (near) => void link.#join(near));
    return link;
  }

  /** The same URL, by this way. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // It listens on TCP.
    const url = new URL(this.#target);
    url.hostname = "127.0.0.1";
    url.port = String(port);
    return url.href.replace(/\/$/, "");
  }

  /** From now on. */
  fail(fault: Fault): void {
    this.#fault = fault;
    this.#healed = Promise.withResolvers();
    if (fault === "reset") this.#sever();
  }

  heal(): void {
    this.#fault = undefined;
    this.#healed.resolve();
  }

  /** Nothing passes any more on what is connected now, and neither side is told. */
  strand(): void {
    for (const socket of this.#sockets) this.#stranded.add(socket);
  }

  /** Leads elsewhere; what is connected is cut. */
  lead(url: string): void {
    this.#target = new URL(url);
    this.#sever();
  }

  async close(): Promise<void> {
    this.heal();
    this.#closed.resolve();
    this.#sever();
    this.#server.close();
    await once(this.#server, "close");
  }

  #sever(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #join(near: Socket): Promise<void> {
    this.#keep(near);
    if (this.#fault === "reset") return void near.destroy();
    while (this.#fault !== undefined) await this.#healed.promise;
    if (near.destroyed) return;
    const far = connect(Number(this.#target.port), this.#target.hostname);
    this.#keep(far);
    await Promise.all([this.#carry(near, far, "there"), this.#carry(far, near, "back")]);
  }

  /** Brings over what one side says, and then that it has ended. */
  async #carry(from: Socket, to: Socket, direction: Direction): Promise<void> {
    let cut = false;
    try {
      for await (const bytes of from) {
        await this.#passing(from, direction);
        if (to.destroyed) return;
        if (!to.write(bytes)) await Promise.race([once(to, "drain"), once(to, "close")]);
      }
    } catch {
      cut = true;
    }
    await this.#passing(from, direction);
    if (cut) to.destroy();
    else to.end();
  }

  async #passing(from: Socket, direction: Direction): Promise<void> {
    if (this.#stranded.has(from)) await this.#closed.promise;
    const blocked = () => this.#fault === "silence" || this.#fault === direction;
    while (blocked()) await this.#healed.promise;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}); // Whoever reads it sees it end.
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
