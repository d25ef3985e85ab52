/** The mail server of the sandbox: a real one, on loopback, that keeps no mail. */
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import type { Desk } from "./sandbox-desk.ts";

export interface MailServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function startMailServer(desk: Desk): Promise<MailServer> {
  const sockets = new Map<number, Socket>();
  const server = new SMTPServer({
    // It has no certificate and knows no users.
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    closeTimeout: 1,
    logger: false,
    async onData(stream, session, answer) {
      const mail = await text(stream);
      const { fault } = await desk.handle({
        channel: "email",
        key: keyOf(mail),
        to: recipientOf(session),
        text: mail,
      });
      switch (fault?.kind) {
        case undefined:
          return answer();
        case "refuse":
          return answer(Object.assign(new Error("refused"), { responseCode: fault.status }));
        case "cut":
          sockets.get(session.remotePort)?.destroy();
          return;
        case "hang":
          return;
      }
    },
  });
  // Clients that are killed leave connections behind that break.
  server.on("error", () => {});
  server.server.on("connection", (socket) => {
    const { remotePort = 0 } = socket;
    sockets.set(remotePort, socket);
    socket.once("close", () => sockets.delete(remotePort));
  });
  await new Promise<void>((resolve, reject) => {
    server.server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // A server that listens on a port has an address with a port.
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    async close() {
      for (const socket of sockets.values()) socket.destroy();
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}

/** What a mailbox tells messages apart by. */
function keyOf(mail: string): string {
  const [, left = ""] = /^message-id:\s*<([^@>]+)@/im.exec(mail) ?? [];
  return decodeURIComponent(left);
}

function recipientOf({ envelope }: SMTPServerSession): string {
  return envelope.rcptTo.map(({ address }) => address).join(", ");
}
