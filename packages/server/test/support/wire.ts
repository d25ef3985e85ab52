/** The wire between a server and PostgreSQL, which a test can cut. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What becomes of a commit: it does not arrive, or its answer does not. */
export type Cut = "before" | "after";

export class Wire {
  /** The database, as it is reached by this wire. */
  readonly url: string;
  /** Cuts the connection that commits next, once. */
  cut: Cut | undefined;
  /** Whether new connections are let through. */
  open = true;
  /** How often it was cut. */
  cuts = 0;
  readonly #server: ReturnType<typeof createServer>;
  readonly #sockets = new Set<Socket>();

  private constructor(server: ReturnType<typeof createServer>, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async to(url: string): Promise<Wire> {
    const { hostname, port } = new URL(url);
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const own = new URL(url);
    own.hostname = "127.0.0.1";
    own.port = String((server.address() as AddressInfo).port); // It listens on TCP.
    const wire = new Wire(server, own.href);
    server.on("connection", (client) => wire.#join(client, connect(Number(port), hostname)));
    return wire;
  }

  /** Cuts all connections. */
  sever(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.sever();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket, database: Socket): void {
    const both = [client, database];
    const end = () => {
      for (const socket of both) socket.destroy();
    };
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    if (!this.open) end();
    let deaf = false;
    client.on("data", (bytes) => {
      const commits = bytes.includes("commit") || bytes.includes("COMMIT");
      const cut = commits ? this.cut : undefined;
      if (cut !== undefined) {
        this.cut = undefined;
        this.cuts++;
      }
      if (cut === "before") end();
      else database.write(bytes);
      // It is done there when there is an answer, which nobody hears.
      deaf ||= cut === "after";
    });
    database.on("data", (bytes) => {
      if (deaf) end();
      else client.write(bytes);
    });
  }
}
