/** A network to an engine that several clients of one test share; it shows and disturbs what passes. */
import {
  anycast,
  type Message,
  type Refusal,
  type Request,
  type RequestKind,
  type Response,
  unicast,
} from "@resonate-ts/protocol";
import { type Engine, EXTENSIONS } from "@resonate-ts/server";
import type { Extension, Network } from "../../src/network/network.ts";

type Answer = Response | Refusal;

export interface Passed {
  readonly request: Request;
  readonly answer: Answer;
}

export class EngineNetwork implements Network {
  readonly unicast: string;
  readonly anycast: string;
  readonly extensions: ReadonlySet<Extension>;
  /** Everything that was sent, in order. */
  readonly sent: Request[] = [];
  readonly messages: Message[] = [];
  /** Answers a request in place of the engine; `undefined` lets it pass. */
  intercept: (request: Request) => Answer | Promise<Answer> | undefined = () => undefined;
  /** Whether the answer to a request is lost on its way, so that it is sent again. */
  losesAnswer: (request: Request) => boolean = () => false;
  /** Whether a message is lost on its way. */
  loses: (message: Message) => boolean = () => false;
  readonly #engine: Engine;
  readonly #place: { readonly group: string; readonly id: string };
  readonly #receivers: ((message: Message) => void)[] = [];
  readonly #openings: (() => void)[] = [];
  readonly #watchers = new Set<(passed: Passed) => void>();
  /** Resolves when it has been killed. */
  readonly killed: Promise<void>;
  #disconnect: (() => void) | undefined;
  #dead = false;
  #die: () => void = () => {};

  constructor(
    engine: Engine,
    {
      pid,
      group = "default",
      extensions = EXTENSIONS,
    }: { pid: string; group?: string; extensions?: readonly Extension[] },
  ) {
    this.killed = new Promise((resolve) => {
      this.#die = resolve;
    });
    this.#engine = engine;
    this.#place = { group, id: pid };
    this.extensions = new Set(extensions);
    this.unicast = unicast(group, pid);
    this.anycast = anycast(group, pid);
  }

  match(target: string): string {
    return target.includes("://") ? target : anycast(target);
  }

  async init(): Promise<void> {
    if (!this.#disconnect) this.open();
  }

  /** Opens the stream of messages, again if it was open. */
  open(): void {
    this.#disconnect?.();
    this.#disconnect = this.#engine.connect({
      ...this.#place,
      graceMs: 0,
      send: (message) => this.#receive(message),
      closed: () => undefined,
    });
    for (const opened of this.#openings) opened();
  }

  async stop(): Promise<void> {
    this.#disconnect?.();
  }

  /** Hands over a message as if the server had sent it. */
  deliver(message: Message): void {
    for (const receive of this.#receivers) receive(message);
  }

  /** Hands over the last message again. */
  repeat(): void {
    const last = this.messages.at(-1);
    if (last) this.deliver(last);
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** As a process that is killed: nothing it sends arrives any more, and its stream is gone. */
  kill(): void {
    this.#dead = true;
    this.#die();
    this.#disconnect?.();
  }

  async send<K extends RequestKind>(
    request: Request<K>,
    again = () => request,
  ): Promise<Response<K> | Refusal> {
    this.sent.push(request);
    // At once where nothing is in the way, so that what is sent in one turn is applied in its order.
    const intercepted = this.intercept(request);
    const answer = (intercepted && (await intercepted)) ?? (await this.#process(request));
    if (this.losesAnswer(request)) return this.send(again(), again);
    for (const watcher of this.#watchers) watcher({ request, answer });
    return answer as Response<K> | Refusal;
  }

  recv(receive: (message: Message) => void): void {
    this.#receivers.push(receive);
  }

  opened(callback: () => void): void {
    this.#openings.push(callback);
  }

  /** The next request that is answered and of which this holds. */
  answered(holds: (passed: Passed) => boolean): Promise<Passed> {
    return new Promise((resolve) => {
      const watcher = (passed: Passed) => {
        if (!holds(passed)) return;
        this.#watchers.delete(watcher);
        resolve(passed);
      };
      this.#watchers.add(watcher);
    });
  }

  /** The next task that is parked. */
  parked(id: string): Promise<Passed> {
    return this.answered(
      ({ request, answer }) =>
        request.kind === "task.suspend" && idOf(request) === id && answer.head.status === 200,
    );
  }

  /** What was sent of these kinds, with the kind inside a fence after a colon, as `kind id`. */
  summary(...kinds: string[]): string[] {
    return this.sent.map(summarize).filter((line) => kinds.some((kind) => line.startsWith(kind)));
  }

  async #process(request: Request): Promise<Answer> {
    if (this.#dead) return new Promise(() => {});
    const [answer] = await this.#engine.process([request]);
    if (this.#dead) return new Promise(() => {});
    if (!answer) throw new Error("no answer");
    return answer;
  }

  #receive(message: Message): boolean {
    if (this.#dead) return false;
    this.messages.push(message);
    if (this.loses(message)) return true;
    queueMicrotask(() => {
      for (const receive of this.#receivers) receive(message);
    });
    return true;
  }
}

export function refusal(request: Request, status: number, data = "refused by the test"): Refusal {
  return {
    kind: request.kind,
    head: { corrId: request.head.corrId, status, version: request.head.version },
    data,
  };
}

/** The promise or task that a request is about. */
export function idOf(request: Request): string {
  const { data } = request;
  if ("action" in data && !("version" in data)) return data.action.data.id;
  if ("id" in data) return data.id;
  return "awaited" in data ? data.awaited : "";
}

/** The promise that a fence is about. */
export function fenced(
  request: Request,
): { readonly kind: string; readonly id: string } | undefined {
  if (request.kind !== "task.fence") return undefined;
  const { action } = request.data as Request<"task.fence">["data"];
  return { kind: action.kind, id: action.data.id };
}

function summarize(request: Request): string {
  const inner = fenced(request);
  return inner ? `${inner.kind} ${inner.id}` : `${request.kind} ${idOf(request)}`;
}
