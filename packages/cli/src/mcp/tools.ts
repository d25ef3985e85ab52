/** What a model can do: the requests about promises, as tools. */
import { randomUUID } from "node:crypto";
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { type SettledState, TAG } from "@resonate-ts/protocol";
import { z } from "zod";
import { Refused, type ServerAddress, send } from "../client.ts";
import { PROMISE_STATES } from "../state.ts";
import { encodedPayload, payloadSchema } from "../values.ts";
import type { Channel } from "./channel.ts";

/** How long a script has, unless it is said, in ms. */
const SCRIPT_TIMEOUT_MS = 300_000;

export interface ToolOptions {
  readonly server: ServerAddress;
  readonly channel: Pick<Channel, "listen">;
}

export function addTools(mcp: McpServer, options: ToolOptions): void {
  addPromiseTools(mcp, options.server);
  addListen(mcp, options);
  addBash(mcp, options);
}

const id = z.string().min(1).describe("id of the promise");
const tags = z.record(z.string(), z.string()).optional();
const payload = payloadSchema.optional().describe('{"headers":{},"data":…}; data is encoded here');

const SETTLED: Readonly<Record<"resolve" | "reject" | "cancel", SettledState>> = {
  resolve: "resolved",
  reject: "rejected",
  cancel: "rejected_canceled",
};

function addPromiseTools(mcp: McpServer, server: ServerAddress): void {
  mcp.registerTool(
    "promise-create",
    {
      description:
        "Create a durable promise for somebody to settle; one that is there is returned.",
      inputSchema: {
        id,
        timeout_at: z.int().describe("when it is rejected by itself, in ms since the epoch"),
        param: payload,
        tags,
      },
    },
    ({ id, timeout_at: timeoutAt, param = {}, tags = {} }) =>
      answer(async () => {
        const data = { id, timeoutAt, param: encodedPayload({ data: undefined, ...param }), tags };
        return (await send(server, "promise.create", data)).promise;
      }),
  );
  mcp.registerTool(
    "promise-get",
    { description: "Read a promise.", inputSchema: { id } },
    ({ id }) => answer(async () => (await send(server, "promise.get", { id })).promise),
  );
  mcp.registerTool(
    "promise-settle",
    {
      description: "Settle a promise. The first settle wins; a later one changes nothing.",
      inputSchema: { id, resolution: z.enum(["resolve", "reject", "cancel"]), value: payload },
    },
    ({ id, resolution, value = {} }) =>
      answer(async () => {
        const state = SETTLED[resolution];
        const data = { id, state, value: encodedPayload({ data: undefined, ...value }) };
        return (await send(server, "promise.settle", data)).promise;
      }),
  );
  addSearch(mcp, server);
}

function addSearch(mcp: McpServer, server: ServerAddress): void {
  mcp.registerTool(
    "promise-search",
    {
      description: "Find promises by state and tags, a page at a time.",
      inputSchema: {
        state: z.enum(PROMISE_STATES).optional(),
        tags,
        limit: z.int().min(1).max(1_000).optional(),
        cursor: z.string().optional().describe("where the page before ended"),
      },
    },
    ({ state, tags = {}, limit, cursor }) =>
      answer(() =>
        send(server, "promise.search", {
          tags,
          ...(state !== undefined && { state }),
          ...(limit !== undefined && { limit }),
          ...(cursor !== undefined && { cursor }),
        }),
      ),
  );
}

function addListen(mcp: McpServer, { channel }: ToolOptions): void {
  mcp.registerTool(
    "promise-listen",
    {
      description: "Be told by a notification when a promise settles. Returns it as it is now.",
      inputSchema: { id },
    },
    ({ id }) => answer(() => channel.listen(id)),
  );
}

function addBash(mcp: McpServer, { server, channel }: ToolOptions): void {
  mcp.registerTool(
    "resonate-bash",
    {
      description:
        "Hand a script to whoever runs scripts at the target, as a promise, and be told when it settles. Nothing is run here.",
      inputSchema: {
        script: z.string(),
        id: id.optional(),
        timeoutMs: z.int().positive().default(SCRIPT_TIMEOUT_MS).describe("time it has, in ms"),
        target: z.string().default("bash://").describe("address of who runs it"),
        tags,
      },
    },
    ({ script, id = `bash-${randomUUID()}`, timeoutMs, target, tags }) =>
      answer(async () => {
        const { promise } = await send(server, "promise.create", {
          id,
          timeoutAt: Date.now() + timeoutMs,
          param: encodedPayload({ data: script }),
          tags: { ...tags, [TAG.target]: target },
        });
        return { promise, listener_registered: await listens(channel, id), target };
      }),
  );
}

async function listens(channel: ToolOptions["channel"], id: string): Promise<boolean> {
  try {
    await channel.listen(id);
    return true;
  } catch (error) {
    // The promise is there all the same, and can be read.
    if (error instanceof Refused) return false;
    throw error;
  }
}

/** What refuses or cannot be reached is said to the model, which may do something about it. */
async function answer(work: () => Promise<unknown>): Promise<CallToolResult> {
  try {
    return result(JSON.stringify(await work(), undefined, 2), false);
  } catch (error) {
    return result(error instanceof Error ? error.message : String(error), true);
  }
}

function result(text: string, isError: boolean): CallToolResult {
  return { content: [{ type: "text", text }], isError };
}
