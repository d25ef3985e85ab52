import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Context, type Durable, Never } from "../../src/index.ts";
import { openWorld } from "./world.ts";

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

beforeAll(() => {
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(async () => {
  trace.disable();
  context.disable();
  await provider.shutdown();
});
beforeEach(() => exporter.reset());

function only(name: string): ReadableSpan {
  const found = exporter.getFinishedSpans().filter((span) => span.name === name);
  expect(found.map((span) => span.name)).toEqual([name]);
  return found[0] as ReadableSpan;
}

test("one trace spans the caller, passes, steps and requests of all workers", async () => {
  const world = await openWorld();
  world.client({ group: "far", register: { remote: (_: Context, n: number) => n + 1 } });
  const { resonate } = world.client({
    register: {
      *outer(ctx: Context): Durable<number> {
        return yield* ctx.run(function* inner(below: Context): Durable<number> {
          return yield* below.rpc("remote", 1, below.options({ target: "far" }));
        });
      },
    },
  });

  const tracer = trace.getTracer("test");
  const root = await tracer.startActiveSpan("caller", async (span) => {
    expect(await resonate.run("w", "outer")).toBe(2);
    span.end();
    return span.spanContext();
  });

  // What a worker tells of itself belongs to no call.
  const spans = exporter
    .getFinishedSpans()
    .filter(({ name }) => name !== "resonate.request worker.announce");
  expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([root.traceId]));
  const inner = only("resonate.step inner");
  const remote = only("resonate.step remote");
  const passes = spans.filter(({ name }) => name === "resonate.pass");
  const far = passes.find((span) => span.attributes["resonate.id"] === "w:0.0");
  expect(remote.parentSpanContext?.spanId).toBe(far?.spanContext().spanId);
  expect(far?.parentSpanContext?.spanId).toBe(inner.spanContext().spanId);
  expect(inner.parentSpanContext?.spanId).toBe(only("resonate.step outer").spanContext().spanId);
  expect(spans.map(({ name }) => name)).toContain("resonate.request task.suspend");
});

test("a failed attempt says so, and each attempt has a span of its own", async () => {
  const world = await openWorld();
  const { resonate } = world.client({
    register: {
      async outer(ctx: Context): Promise<string> {
        const options = ctx.options({ retryPolicy: new Never() });
        return ctx
          .run(function leaf() {
            throw new TypeError("no");
          }, options)
          .catch((error: Error) => error.name);
      },
    },
  });

  expect(await resonate.run("w", "outer")).toBe("TypeError");

  const leaf = only("resonate.step leaf");
  expect(leaf.status).toEqual({ code: SpanStatusCode.ERROR, message: "no" });
  expect(leaf.attributes).toMatchObject({ "resonate.id": "w:0", "resonate.attempt": 1 });
  expect(only("resonate.step outer").status.code).toBe(SpanStatusCode.UNSET);
});

test("a header that is none does not stop a call", async () => {
  const world = await openWorld();
  const { resonate } = world.client({ register: { fn: () => "done" } });
  await resonate.promises.create("w", Date.now() + 60_000, {
    headers: { traceparent: "nonsense" },
    data: btoa(JSON.stringify({ func: "fn", args: [], version: 1 })),
    tags: { "resonate:target": "poll://any@default" },
  });

  expect(await (await resonate.get("w")).result()).toBe("done");
});
