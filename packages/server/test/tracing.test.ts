/** Spans, as a collector gets them over HTTP. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Logger } from "../src/logger.ts";
import { type RunningServer, serve } from "../src/serve.ts";
import { readSettings } from "../src/settings.ts";
import { ask, envelope, silent } from "./http/harness.ts";

/** What of a span is looked at, as OTLP has it in JSON. */
interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly status: { readonly code: number };
}

let collector: Server;
let endpoint: string;
const paths: string[] = [];
const resources: object[] = [];
const spans: Span[] = [];

beforeEach(async () => {
  collector = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    paths.push(request.url ?? "");
    for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
      resources.push(resource);
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterEach(() => {
  collector.close();
  collector.closeAllConnections();
  for (const list of [paths, resources, spans]) list.length = 0;
});

function open(env: Readonly<Record<string, string>>, logger: Logger = silent) {
  const flags = { "server.port": "0", "storage.type": "memory" };
  return serve(readSettings({ env, flags }), { logger });
}

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const traceparent = `00-${TRACE}-${SPAN}-01`;
const head = { corrId: "c", version: "2026-04-01" };

const post = (server: RunningServer, body: unknown) => ask(server, { body: JSON.stringify(body) });

test("a request is a part of the trace that its head names, or the parameters that it brings", async () => {
  const server = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  const param = { headers: { traceparent } };
  const create = { id: "b", timeoutAt: 2 ** 50, param };
  await post(server, [
    envelope({ head: { ...head, traceparent } }),
    { kind: "promise.create", head, data: create },
    {
      kind: "task.create",
      head,
      data: {
        pid: "p",
        ttl: 60_000,
        action: {
          kind: "promise.create",
          head,
          data: { ...create, id: "c", tags: { "resonate:target": "poll://any@g" } },
        },
      },
    },
    envelope({ head: { ...head, traceparent: "00-nonsense" } }),
    { kind: "made.up", head, data: {} },
  ]);
  await server.close();

  const requests = spans.filter(({ name }) => name.startsWith("resonate.request "));
  expect(requests.map(({ name, parentSpanId }) => [name, parentSpanId ?? ""])).toEqual([
    ["resonate.request promise.get", SPAN],
    ["resonate.request promise.create", SPAN],
    ["resonate.request task.create", SPAN],
    ["resonate.request promise.get", ""],
    ["resonate.request other", ""],
  ]);
  for (const span of requests.slice(0, 3)) expect(span.traceId).toBe(TRACE);
  expect(requests[3]?.traceId).not.toBe(TRACE);
  expect(requests[0]).toMatchObject({ kind: 2, status: { code: 0 } });
  expect(requests[0]?.attributes).toContainEqual({
    key: "resonate.status",
    value: { intValue: 404 },
  });
  for (const { startTimeUnixNano: start, endTimeUnixNano: end } of spans) {
    expect(BigInt(end)).toBeGreaterThanOrEqual(BigInt(start));
  }
});

test("a commit is a span, and all are of this server", async () => {
  const server = await open({ RESONATE_OBSERVABILITY__OTLP_ENDPOINT: `${endpoint}/` });
  await post(server, { kind: "promise.create", head, data: { id: "a", timeoutAt: 2 ** 50 } });
  await server.close();

  const commit = spans.find(({ name }) => name === "resonate.commit");
  expect(commit?.attributes).toContainEqual({ key: "resonate.changes", value: { intValue: 1 } });
  expect(new Set(paths)).toEqual(new Set(["/v1/traces"]));
  expect(resources[0]).toMatchObject({
    attributes: expect.arrayContaining([
      { key: "service.name", value: { stringValue: "resonate-server" } },
    ]),
  });
});

test("a collector that is not there costs the spans, and is said", async () => {
  collector.close();
  collector.closeAllConnections();
  const said: string[] = [];
  const logger = { ...silent, warn: (_: object, message: string) => said.push(message) };
  const server = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, logger);

  const answer = await post(server, envelope());
  await server.close();

  expect(answer.status).toBe(404);
  expect(said).toContain("spans could not be sent to the collector");
});

test("without a collector no span is made", async () => {
  const server = await open({});
  await post(server, envelope({ head: { ...head, traceparent } }));
  await server.close();

  expect(spans).toEqual([]);
});
