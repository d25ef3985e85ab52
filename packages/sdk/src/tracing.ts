/**
 * Spans, through `@opentelemetry/api`: they go wherever the program has its tracer provider send them. Without one
 * every call here does next to nothing.
 *
 * The context travels to other workers in the header `traceparent` (W3C Trace Context) of a call's param, which whoever
 * does not know it ignores.
 */
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

const HEADER = "traceparent";
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const tracer = trace.getTracer("resonate");

type Headers = Readonly<Record<string, string>>;

/** Something that takes time, being traced. */
export class Trace {
  readonly #context: Context;
  readonly #span: Span;

  constructor(parent: Context, name: string, kind: SpanKind, attributes: Attributes) {
    this.#span = tracer.startSpan(name, { kind, attributes }, parent);
    this.#context = trace.setSpan(parent, this.#span);
  }

  /** One step of a function, under the function's own trace. */
  step(attributes: {
    readonly id: string;
    readonly func: string;
    readonly attempt: number;
  }): Trace {
    const { id, func, attempt } = attributes;
    return new Trace(this.#context, `resonate.step ${func}`, SpanKind.INTERNAL, {
      "resonate.id": id,
      "resonate.attempt": attempt,
    });
  }

  /** Calls `work` so that spans which it starts are below this one. */
  run<T>(work: () => T): T {
    return context.with(this.#context, work);
  }

  /** Headers that make a call a part of this trace; nothing where nothing is traced. */
  headers(): Headers | undefined {
    return headersOf(this.#context);
  }

  /** It is over; with what went wrong, if something did. */
  end(failed?: { readonly error: unknown }): void {
    if (failed) {
      const message = failed.error instanceof Error ? failed.error.message : String(failed.error);
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
      if (failed.error instanceof Error) this.#span.recordException(failed.error);
    }
    this.#span.end();
  }
}

/** A pass of a task: a part of the trace that its call names. */
export function tracePass(pass: {
  readonly id: string;
  readonly headers: Headers | undefined;
}): Trace {
  const parent = pass.headers?.[HEADER];
  const above = parent === undefined ? context.active() : contextOf(parent);
  return new Trace(above, "resonate.pass", SpanKind.CONSUMER, { "resonate.id": pass.id });
}

/** A request, under whatever is being traced. */
export function traceRequest(kind: string): Trace {
  return new Trace(context.active(), `resonate.request ${kind}`, SpanKind.CLIENT, {});
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
