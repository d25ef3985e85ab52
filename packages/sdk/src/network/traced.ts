/** A network whose requests are traced. */
import type { Message, Refusal, Request, RequestKind, Response } from "@resonate-ts/protocol";
import { traceRequest } from "../tracing.ts";
import type { Extension, Network } from "./network.ts";

export class TracedNetwork implements Network {
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  get unicast(): string {
    return this.#network.unicast;
  }

  get anycast(): string {
    return this.#network.anycast;
  }

  get extensions(): ReadonlySet<Extension> {
    return this.#network.extensions;
  }

  get aheadMs(): number {
    return this.#network.aheadMs ?? 0;
  }

  match(target: string): string {
    return this.#network.match(target);
  }

  init(): Promise<void> {
    return this.#network.init();
  }

  stop(): Promise<void> {
    return this.#network.stop();
  }

  send<K extends RequestKind>(
    request: Request<K>,
    again?: () => Request<K>,
  ): Promise<Response<K> | Refusal> {
    const trace = traceRequest(request.kind);
    const answer = trace.run(() => this.#network.send(request, again));
    answer.then(
      () => trace.end(),
      (error: unknown) => trace.end({ error }),
    );
    return answer;
  }

  recv(receive: (message: Message) => void): void {
    this.#network.recv(receive);
  }

  opened(callback: () => void): void {
    this.#network.opened?.(callback);
  }
}
