/** How answers are written. */
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { EXTENSIONS } from "../engine/engine.ts";

/** Sent with every answer and stream: what this server has beyond the base protocol. */
export const EXTENSIONS_HEADER = { "Resonate-Extensions": EXTENSIONS.join(", ") } as const;

/** Answers with JSON text. */
export function sendJson(
  response: ServerResponse,
  status: number,
  json: string,
  headers: OutgoingHttpHeaders = {},
): void {
  response
    .writeHead(status, {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(json),
      ...EXTENSIONS_HEADER,
      ...headers,
    })
    .end(json);
}

/** Answers `{"error": message}`, for everything that is not an answer to an envelope. */
export function sendProblem(
  response: ServerResponse,
  status: number,
  message: string,
  headers: OutgoingHttpHeaders = {},
): void {
  sendJson(response, status, JSON.stringify({ error: message }), headers);
}

/** Answers with a status alone. */
export function sendEmpty(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { "Content-Length": 0, ...EXTENSIONS_HEADER, ...headers }).end();
}
