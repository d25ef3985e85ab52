/** An MCP server on this process's standard streams. Standard output is its alone; what people should know goes to `log`. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import type { PromiseRecord } from "@resonate-ts/protocol";
import type { ServerAddress } from "../client.ts";
import { Channel } from "./channel.ts";
import { addTools } from "./tools.ts";

export interface McpOptions {
  readonly server: ServerAddress;
  readonly version: string;
  readonly log: (line: string) => void;
  /** Resolves when the process is to end. */
  readonly stopped: Promise<unknown>;
}

/** Serves until the client closes its end, or `stopped`. */
export async function serveMcp({ server, version, log, stopped }: McpOptions): Promise<void> {
  const mcp = new McpServer(
    { name: "resonate-mcp", version },
    { capabilities: { tools: {}, experimental: { "claude/channel": {} } } },
  );
  mcp.server.onerror = ({ message }) => log(message);
  const settled = (promise: PromiseRecord) => {
    // Who does not listen any more closes the stream, and that is heard below.
    mcp.server.notification(noticeOf(promise)).catch(({ message }: Error) => log(message));
  };
  const channel = new Channel({ server, session: randomUUID(), settled, log });
  addTools(mcp, { server, channel });
  const stop = new AbortController();
  const streaming = channel.run(stop.signal);
  const closed = once(process.stdin, "close");
  await mcp.connect(new StdioServerTransport());
  await Promise.race([stopped, closed, once(process.stdin, "end")]);
  stop.abort();
  await streaming;
  await mcp.close();
}

/** The words of the notification for states. */
const STATUS: Readonly<Partial<Record<PromiseRecord["state"], string>>> = {
  resolved: "resolved",
  rejected: "rejected",
  rejected_timedout: "timedout",
  rejected_canceled: "canceled",
};

function noticeOf(promise: PromiseRecord) {
  const meta = { handle: promise.id, status: STATUS[promise.state] ?? "unknown" };
  return {
    method: "notifications/claude/channel",
    params: { content: JSON.stringify(promise), meta },
  };
}
