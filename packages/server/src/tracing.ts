/**
 * Spans of what the server does, sent to a collector of OpenTelemetry. Loaded only when there is one: what it needs takes a
 * tenth of a second and some megabytes.
 *
 * Each request is a span, and each commit. A request is part of the trace that its head names, or the headers of the
 * parameters that it brings, which is where SDKs write it (docs/decisions/0018).
 */
import {
  type Attributes,
  type Context,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { isDebugKind, isRequestKind } from "@resonate-ts/protocol/parse";
import type { Observer } from "./engine/engine.ts";
import type { TracedRequest } from "./http/api.ts";
import type { Logger } from "./logger.ts";

/** How long the last spans have to leave when the server stops, in ms. */
const CLOSE_MS = 1_000;

export interface Tracing extends Observer {
  /** A request has been answered, after so many ms. */
  answered(request: TracedRequest, ms: number): void;
  /** Sends what is left. Never rejects. */
  close(): Promise<void>;
}

export interface TracingOptions {
  /** URL of the collector, to which `/v1/traces` is added. */
  readonly endpoint: string;
  readonly version: string;
  readonly logger: Logger;
}

export function openTracing({ endpoint, version, logger }: TracingOptions): Tracing {
  const complain = (error: unknown) =>
    logger.warn({ why: String(error) }, "spans could not be sent to the collector");
  hear(complain);
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces` });
  const processor = new BatchSpanProcessor(exporter);
  const provider = new NodeTracerProvider({
    resource: resourceOf({ "service.name": "resonate-server", "service.version": version }),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer("@resonate-ts/server", version);
  const record = (
    name: string,
    { startTime, attributes, kind, failed, parent }: Recorded,
  ): void => {
    const span = tracer.startSpan(name, { startTime, attributes, kind }, parent);
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  };
  return {
    committing(steps) {
      const startTime = Date.now();
      return ({ executes, unblocks, changes }) => {
        const counts = { steps, changes: changes.length, executes, unblocks };
        record("resonate.commit", {
          startTime,
          kind: SpanKind.INTERNAL,
          attributes: prefixed(counts),
          failed: false,
          parent: ROOT_CONTEXT,
        });
      };
    },
    answered({ kind, status, traceparent }, ms) {
      const known = isRequestKind(kind) || isDebugKind(kind) ? kind : "other";
      record(`resonate.request ${known}`, {
        startTime: Date.now() - ms,
        kind: SpanKind.SERVER,
        attributes: prefixed({ kind: known, status }),
        failed: status >= 500,
        parent: contextOf(traceparent),
      });
    },
    async close() {
      const late = Promise.withResolvers<never>();
      const why = `the collector took longer than ${CLOSE_MS} ms`;
      const timer = setTimeout(() => late.reject(new Error(why)), CLOSE_MS);
      await Promise.race([provider.shutdown(), late.promise]).catch(complain);
      clearTimeout(timer);
      diag.disable();
    },
  };
}

interface Recorded {
  readonly startTime: number;
  readonly attributes: Attributes;
  readonly kind: SpanKind;
  readonly failed: boolean;
  readonly parent: Context;
}

function prefixed(counts: Readonly<Record<string, string | number>>): Attributes {
  return Object.fromEntries(
    Object.entries(counts).map(([name, value]) => [`resonate.${name}`, value]),
  );
}

/** Of version 00, as https://www.w3.org/TR/trace-context has it. */
const TRACEPARENT = /^00-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})$/;

/** What is no such header is none. */
function contextOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  if (!traceId || !spanId || !flags) return ROOT_CONTEXT;
  const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, span);
}

/** Who sends the spans. */
function resourceOf(attributes: Attributes) {
  const raw = Object.entries(attributes);
  return { attributes, getRawAttributes: () => raw, merge: () => resourceOf(attributes) };
}

/** Spans that cannot be sent are lost, and somebody should hear of it. */
function hear(complain: (message: string) => void): void {
  const nothing = () => {};
  diag.setLogger(
    { error: complain, warn: complain, info: nothing, debug: nothing, verbose: nothing },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
