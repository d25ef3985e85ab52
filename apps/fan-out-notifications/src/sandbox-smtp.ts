/** The mail server of the sandbox: a real one, on loopback, that keeps no mail. */
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
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
    onData(stream, session, answer) {
      const cut = () => sockets.get(session.remotePort)?.destroy();
      // A client that is killed half-way has nothing to be told.
      receive(desk, { stream, session, answer, cut }).catch(cut);
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

async function receive(
  desk: Desk,
  mail: {
    readonly stream: SMTPServerDataStream;
    readonly session: SMTPServerSession;
    readonly answer: (error?: Error) => void;
    readonly cut: () => void;
  },
): Promise<void> {
  const { stream, session, answer, cut } = mail;
  const content = await text(stream);
  const asked = { channel: "email", key: keyOf(content), to: recipientOf(session) } as const;
  const { fault } = await desk.handle({ ...asked, text: content });
  switch (fault?.kind) {
    case undefined:
      return answer();
    case "refuse":
      return answer(Object.assign(new Error("refused"), { responseCode: fault.status }));
    case "cut":
      return cut();
    case "hang":
      return;
  }
}

/** What a mailbox tells messages apart by. */
function keyOf(mail: string): string {
  const [, left = ""] = /^message-id:\s*<([^@>]+)@/im.exec(mail) ?? [];
  return decodeURIComponent(left);
}

function recipientOf({ envelope }: SMTPServerSession): string {
  return envelope.rcptTo.map(({ address }) => address).join(", ");
}
