/**
 * Spans, through `@opentelemetry/api`: they go wherever the program has its tracer provider send them. Without one
 * every call here does next to nothing.
 *
 * The context travels to other workers in the header `traceparent` (W3C Trace Context) of a call's param, which whoever
 * does not know it ignores.
 */
import {
  type Context,
  context,
  isSpanContextValid,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

const HEADER = "traceparent";
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const tracer = trace.getTracer("resonate");

type Headers = Readonly<Record<string, string>>;

/** Something that takes time, being traced. */
export interface Trace {
  /** One step of a function, under the function's own trace. */
  step(attributes: { readonly id: string; readonly func: string; readonly attempt: number }): Trace;
  /** Calls `work` so that spans which it starts are below this one. */
  run<T>(work: () => T): T;
  /** Headers that make a call a part of this trace; nothing where nothing is traced. */
  headers(): Headers | undefined;
  /** It is over; with what went wrong, if something did. */
  end(failed?: { readonly error: unknown }): void;
}

/** Where nothing is traced: nothing below is looked at either. */
const untraced: Trace = {
  step: () => untraced,
  run: (work) => work(),
  headers: () => undefined,
  end: () => {},
};

function begin(parent: Context, name: string, options: SpanOptions): Trace {
  const span = tracer.startSpan(name, options, parent);
  if (!isSpanContextValid(span.spanContext())) return untraced;
  const own = trace.setSpan(parent, span);
  return {
    step: ({ id, func, attempt }) =>
      begin(own, `resonate.step ${func}`, {
        attributes: { "resonate.id": id, "resonate.attempt": attempt },
      }),
    run: (work) => context.with(own, work),
    headers: () => headersOf(own),
    end: (failed) => end(span, failed),
  };
}

function end(span: Span, failed: { readonly error: unknown } | undefined): void {
  if (failed) {
    const { error } = failed;
    const message = error instanceof Error ? error.message : String(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message });
    if (error instanceof Error) span.recordException(error);
  }
  span.end();
}

/** A pass of a task: a part of the trace that its call names. */
export function tracePass(pass: {
  readonly id: string;
  readonly headers: Headers | undefined;
}): Trace {
  const parent = pass.headers?.[HEADER];
  const above = parent === undefined ? context.active() : contextOf(parent);
  const attributes = { "resonate.id": pass.id };
  return begin(above, "resonate.pass", { kind: SpanKind.CONSUMER, attributes });
}

/** A request, under whatever is being traced. */
export function traceRequest(kind: string): Trace {
  return begin(context.active(), `resonate.request ${kind}`, { kind: SpanKind.CLIENT });
}

/** As `Trace.headers`, of whatever is being traced now. */
export function activeHeaders(): Headers | undefined {
  return headersOf(context.active());
}

function headersOf(traced: Context): Headers | undefined {
  const span = trace.getSpanContext(traced);
  if (!span || !isSpanContextValid(span)) return undefined;
  const flags = span.traceFlags.toString(16).padStart(2, "0");
  return { [HEADER]: `00-${span.traceId}-${span.spanId}-${flags}` };
}

/** What is not a header of ours is none. */
function contextOf(traceparent: string): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? [];
  if (!traceId || !spanId || !flags) return context.active();
  const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return trace.setSpanContext(context.active(), span);
}
