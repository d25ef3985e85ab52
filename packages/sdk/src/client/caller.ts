/** Calls of functions from outside any function: what each sends, and who tells how it ended. */
import {
  isRefusal,
  type PromiseCreate,
  type PromiseRecord,
  rootIdProblem,
  TAG,
  type Value,
} from "@resonate-ts/protocol";
import type { Codec } from "../codec/codec.ts";
import type { DurableFunction } from "../context.ts";
import type { Clock } from "../core/clock.ts";
import { invocation, TIMEOUT_MS_DEFAULT } from "../core/operations.ts";
import { conflictOf } from "../core/replay.ts";
import { calleeOf, remoteCalleeOf } from "../core/resolve.ts";
import { ResonateError, ServerRefusedError } from "../errors.ts";
import { readRecord } from "../journal/outcome.ts";
import { makeRequest } from "../network/envelope.ts";
import type { Network } from "../network/network.ts";
import { splitOptions } from "../options.ts";
import type { Registry } from "../registry.ts";
import { activeHeaders } from "../tracing.ts";
import type { Worker } from "../worker/worker.ts";
import { ask } from "./ask.ts";
import { PromiseHandle, resultOf } from "./handle.ts";
import type { Listeners } from "./listeners.ts";
import type { Promises } from "./promises.ts";
import type { Schedules } from "./schedules.ts";

export interface CallerParts {
  readonly network: Network;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly worker: Worker;
  readonly listeners: Listeners;
  readonly schedules: Schedules;
  readonly promises: Promises;
  readonly dialect: "colon" | "dots";
  readonly pid: string;
  readonly ttlMs: number;
  /** The address of a target given by name; without a name, the default one. */
  readonly target: (name?: string) => string;
}

/** A call as it was asked for. */
export interface ClientCall {
  readonly id: string;
  readonly fn: DurableFunction | string;
  /** Its arguments, then options if there are any. */
  readonly given: readonly unknown[];
}

interface NamedVersion {
  readonly name: string;
  readonly version: number;
}

export class Caller {
  readonly #parts: CallerParts;

  constructor(parts: CallerParts) {
    this.#parts = parts;
  }

  /** Claims the call and runs it here; only listens when somebody else has it. */
  async beginRun<T>(call: ClientCall): Promise<PromiseHandle<T>> {
    const { network, registry, pid, ttlMs, worker, listeners } = this.#parts;
    const { options } = splitOptions(call.given);
    const callee = calleeOf(registered(call.fn, registry), options.version, registry);
    const data = await this.#creation(call, callee, network.anycast);
    const action = { kind: "promise.create", head: {}, data } as const;
    const answer = await network.send(makeRequest("task.create", { pid, ttl: ttlMs, action }));
    if (isRefusal(answer)) {
      if (answer.head.status !== 409) throw refused(answer, call.id);
      const { promise } = await ask(network, "promise.get", { id: call.id });
      await this.#checkConflict(call, { callee, sent: data }, promise);
      return this.#handle(promise);
    }
    const { task, promise, preload } = answer.data;
    if (task.state === "acquired") {
      // Waits from the start, so that a process lives as long as what it began.
      void listeners.wait(call.id, { local: true });
      worker.adopt({ task, promise, preload });
    }
    await this.#checkConflict(call, { callee, sent: data }, promise);
    return this.#handle(promise);
  }

  async run<T>(call: ClientCall): Promise<T> {
    return (await this.beginRun<T>(call)).result();
  }

  /** Puts the call on record for whoever serves its target. */
  async beginRpc<T>(call: ClientCall): Promise<PromiseHandle<T>> {
    return this.#handle(await this.#dispatch(call));
  }

  async rpc<T>(call: ClientCall): Promise<T> {
    const { listeners, codec } = this.#parts;
    // Whether it may wait at all has to be known before.
    const { options } = splitOptions(call.given);
    if (options.onConflict === "error") return (await this.beginRpc<T>(call)).result();
    const sent = Promise.withResolvers<void>();
    const created = this.#dispatch(call, sent.resolve);
    await Promise.race([sent.promise, created]);
    // In the same turn as the request that creates it, so that the two travel together.
    const settled = listeners.wait(call.id, { local: false });
    const promise = await created;
    if (promise.state !== "pending") return resultOf<T>(promise, codec);
    // Where the creation had to be sent again the question came first and found nothing.
    const asked = settled.catch(() => listeners.wait(call.id, { local: false }));
    return resultOf<T>(await asked, codec);
  }

  async get<T>(id: string): Promise<PromiseHandle<T>> {
    const { promise } = await ask(this.#parts.network, "promise.get", { id });
    return this.#handle(promise);
  }

  /** Puts a schedule on record that makes the call at every occurrence. */
  async schedule({ id, fn, given, cron }: ClientCall & { readonly cron: string }): Promise<void> {
    const { registry, codec, schedules, target } = this.#parts;
    const { args, options } = splitOptions(given);
    const { name, version } = remoteCalleeOf(fn, options.version, registry);
    const retry = options.retryPolicy?.encode();
    const param = await codec.encode(invocation({ func: name, version, args, retry }), id);
    const timeout = options.timeout ?? TIMEOUT_MS_DEFAULT;
    const join = this.#parts.dialect === "dots" ? "." : "-";
    await schedules.create(id, cron, `{{.id}}${join}{{.timestamp}}`, timeout, {
      promiseHeaders: param.headers,
      promiseData: param.data,
      promiseTags: { ...options.tags, [TAG.target]: target(options.target) },
    });
  }

  async #dispatch(call: ClientCall, sent?: () => void): Promise<PromiseRecord> {
    const { network, registry, target } = this.#parts;
    const { options } = splitOptions(call.given);
    const callee = remoteCalleeOf(call.fn, options.version, registry);
    const data = await this.#creation(call, callee, target(options.target));
    const answered = ask(network, "promise.create", data);
    sent?.();
    const { promise } = await answered;
    await this.#checkConflict(call, { callee, sent: data }, promise);
    return promise;
  }

  /** @throws ResonateError `ID_CONFLICT` where that is asked for and something else is on record than what was sent. */
  async #checkConflict(
    { given }: ClientCall,
    asked: { readonly callee: NamedVersion; readonly sent: PromiseCreate },
    promise: PromiseRecord,
  ): Promise<void> {
    const { options } = splitOptions(given);
    if (options.onConflict !== "error") return;
    const { name: func, version } = asked.callee;
    const { tags, param } = asked.sent;
    const wanted = { tags, func, version, versionAsked: (options.version ?? 0) > 0 };
    const conflict = conflictOf(wanted, await readRecord(promise, this.#parts.codec, param));
    if (conflict) throw conflict;
  }

  /** The promise of a call. It is the root of its own tree. */
  async #creation(
    { id, given }: ClientCall,
    { name, version }: NamedVersion,
    target: string,
  ): Promise<PromiseCreate> {
    const problem = rootIdProblem(id);
    if (problem) throw new ResonateError("ID_INVALID", `Cannot call '${name}': ${problem}.`);
    const { args, options } = splitOptions(given);
    const retry = options.retryPolicy?.encode();
    const headers = activeHeaders();
    return {
      id,
      timeoutAt: this.#parts.clock.now() + (options.timeout ?? TIMEOUT_MS_DEFAULT),
      param: withHeaders(
        await this.#parts.codec.encode(invocation({ func: name, version, args, retry }), id),
        headers,
      ),
      tags: {
        ...options.tags,
        [TAG.origin]: id,
        [TAG.branch]: id,
        [TAG.parent]: id,
        [TAG.scope]: "global",
        [TAG.target]: target,
        ...(this.#parts.dialect === "dots" && { [TAG.prefix]: id }),
      },
    };
  }

  #handle<T>(promise: PromiseRecord): PromiseHandle<T> {
    return new PromiseHandle<T>(promise, this.#parts);
  }
}

function withHeaders(param: Value, headers: Value["headers"]): Value {
  return headers ? { ...param, headers: { ...param.headers, ...headers } } : param;
}

/** What is run here must be found again by whoever goes on with it, so it has to be registered. */
function registered(fn: DurableFunction | string, registry: Registry): DurableFunction | string {
  if (typeof fn === "string" || registry.get(fn)) return fn;
  throw new ResonateError(
    "FUNCTION_NOT_REGISTERED",
    `The function '${fn.name}' is not registered. Call resonate.register(${fn.name || "name, fn"}) before running it: after a crash it is found by its name.`,
  );
}

function refused(
  answer: {
    readonly head: { readonly status: number };
    readonly kind: string;
    readonly data: string;
  },
  id: string,
): ServerRefusedError {
  const message = `${answer.data} ('${id}')`;
  return new ServerRefusedError({ status: answer.head.status, requestKind: answer.kind, message });
}
