/** Server-sent events. */
import { EventSourceParserStream } from "eventsource-parser/stream";

export interface ServerEvent {
  /** `message` where the server names none. */
  readonly event: string;
  readonly data: string;
}

/** Longest event that is read, in characters: a payload of the largest size, with room for its envelope. */
const EVENT_LENGTH_MAX = 16_777_216;

/** The events of a stream, until it ends. */
export async function* readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<ServerEvent, void> {
  const events = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ maxBufferSize: EVENT_LENGTH_MAX }));
  for await (const { event = "message", data } of events) yield { event, data };
}
