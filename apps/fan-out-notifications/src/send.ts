/** The steps of a branch: each makes one request, and says what came of it. */
import { randomUUID } from "node:crypto";
import type { Context } from "@resonate-ts/sdk";
import { type Adapter, answerTo, type Message } from "./adapter.ts";
import type { Delivery } from "./deliver.ts";
import type { Gate } from "./gate.ts";
import type { Answer } from "./judge.ts";
import type { Channel, Route } from "./notification.ts";

/** How this process sends; the dependency `post`. Secrets are in here, and nowhere on record. */
export interface Post {
  readonly adapters: Readonly<Record<Channel, Adapter>>;
  readonly gates: Readonly<Record<Channel, Gate>>;
  /** Tokens of attempts that have not been made yet. */
  readonly tokens: Set<string>;
  /** The URL at which a promise is settled by whoever sees the message. */
  acknowledgeUrl(promise: string): string;
  /** Told of every request, once it has an answer or is given up. */
  note(noted: Noted): void;
}

/** One attempt. */
export interface Request extends Delivery {
  readonly key: string;
  /** From 1. */
  readonly attempt: number;
  /** Of `beginAttempt`, if there was one. */
  readonly token: string | undefined;
}

export interface Sent {
  readonly answer: Answer;
  /** How long the provider took, in ms. */
  readonly ms: number;
}

export interface Noted extends Sent {
  readonly channel: Channel;
  readonly key: string;
}

/** Whether this process can send as the route wants it. */
export function canSend(ctx: Context, { channel, via }: Route): boolean {
  return postOf(ctx).adapters[channel].via === via;
}

/** A token that is good for one attempt, in this process: an attempt without one may have been made before. */
export async function beginAttempt(ctx: Context): Promise<string> {
  const token = randomUUID();
  postOf(ctx).tokens.add(token);
  return token;
}

/** Makes the request, once. Rejects only when this process has to give it up. */
export async function sendOnce(ctx: Context, request: Request): Promise<Sent> {
  const post = postOf(ctx);
  const { key, token, route } = request;
  if (token !== undefined && !post.tokens.delete(token)) {
    return { answer: { kind: "silent", why: "a process ended while it sent this" }, ms: 0 };
  }
  const { channel, timeoutMs } = route;
  const { send } = post.adapters[channel];
  const work = () => timed(ctx, timeoutMs, (signal) => send(messageOf(request, post), signal));
  const sent = await post.gates[channel].pass(work, ctx.signal);
  post.note({ ...sent, channel, key });
  return sent;
}

/** Asks the provider whether it has the message. */
export async function findMessage(ctx: Context, request: Request): Promise<Answer> {
  const post = postOf(ctx);
  const { channel, timeoutMs } = request.route;
  const { find } = post.adapters[channel];
  if (!find) return { kind: "silent", why: `nobody can ask ${channel} for a message` };
  const work = () => timed(ctx, timeoutMs, (signal) => find(messageOf(request, post), signal));
  return (await post.gates[channel].pass(work, ctx.signal)).answer;
}

async function timed(
  ctx: Context,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Answer>,
): Promise<Sent> {
  const since = performance.now();
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([ctx.signal, timeout]);
  const answer = await work(signal).catch((error: unknown): Answer => {
    // What happened to it is for whoever goes on with this.
    ctx.signal.throwIfAborted();
    const late = { kind: "silent", why: `no answer within ${timeoutMs} ms` } as const;
    return timeout.aborted ? late : answerTo(error);
  });
  return { answer, ms: Math.round(performance.now() - since) };
}

function messageOf({ key, event, recipient, acknowledge }: Request, post: Post): Message {
  const url = acknowledge === undefined ? {} : { acknowledgeUrl: post.acknowledgeUrl(acknowledge) };
  return { key, event, recipient, ...url };
}

function postOf(ctx: Context): Post {
  const post = ctx.getDependency<Post>("post");
  if (!post) throw new Error("The dependency 'post' is not set.");
  return post;
}
