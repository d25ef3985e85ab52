/** Durable functions. */
export type { ResonateHandle } from "./client/handle.ts";
export type {
  DecodedPromise,
  PromiseSearch,
  Promises,
  RawCreate,
  RawPayload,
} from "./client/promises.ts";
export type { ScheduledPromise, ScheduleSearch, Schedules } from "./client/schedules.ts";
export type { TaskSearch, Tasks } from "./client/tasks.ts";
export type { TreeNode } from "./client/tree.ts";
export type { Codec } from "./codec/codec.ts";
export { type CodecOptions, createCodec, type Encryptor } from "./codec/json-codec.ts";
export type {
  Arguments,
  CallArguments,
  CallInfo,
  Check,
  CombineOptions,
  Context,
  DurableFunction,
  Functions,
  MapOptions,
  Outcomes,
  PromiseOptions,
  Result,
  SleepOptions,
  Values,
} from "./context.ts";
export type { Clock } from "./core/clock.ts";
export type { Invoke } from "./core/host.ts";
export {
  AwaitCycleError,
  InputInvalidError,
  isResonateError,
  LeaseLostError,
  NonDeterminismError,
  PromiseCanceledError,
  PromiseCanceledError as RejectedCanceled,
  PromiseTimedoutError,
  PromiseTimedoutError as RejectedTimedout,
  ResonateError,
  ServerRefusedError,
  ServerUnreachableError,
  ServerUnreachableError as ResonateTimeoutException,
} from "./errors.ts";
export type {
  ClientOptions,
  FunctionOptions,
  ResonateFunc,
  ResonateSchedule,
} from "./functions.ts";
export type { Begun, Durable, Future } from "./future.ts";
export type { InputSchema } from "./input.ts";
export { consoleLogger, type Logger, type LogLevel, silentLogger } from "./logger.ts";
export type { HttpReply } from "./network/answers.ts";
export { EmbeddedNetwork, type EmbeddedNetworkOptions } from "./network/embedded.ts";
export { HttpNetwork, type HttpNetworkOptions } from "./network/http.ts";
export type { Extension, Network } from "./network/network.ts";
export { Requests, type RequestsOptions, type RequestTime } from "./network/requests.ts";
export { type ErrorClass, type OptionFields, type OptionInput, Options } from "./options.ts";
export { Resonate } from "./resonate.ts";
export {
  Constant,
  type EncodedRetryPolicy,
  Exponential,
  Linear,
  Never,
  type RetryPolicy,
} from "./retry.ts";
export type { ResonateOptions } from "./settings.ts";
export { systemClock } from "./worker/system-clock.ts";
