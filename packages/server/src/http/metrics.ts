/**
 * What the server counts, in the text format of Prometheus.
 *
 * I1. No label takes its value from a client, but names of groups, of which there are few: kinds that nobody knows are
 *     `other`. There are fewer than 500 series.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isDebugKind, isRequestKind } from "@resonate-ts/protocol/parse";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Committed, Observer } from "../engine/engine.ts";
import type { Inside } from "../engine/inside.ts";
import type { DeliveryStatus } from "../transports/http-push.ts";
import { watchRecords } from "./metrics-of-records.ts";

export interface Metrics {
  /** What the engine is to be given. */
  readonly observer: Observer;
  /** A request has been answered. */
  answered(request: { readonly kind: string; readonly status: number }, seconds: number): void;
  /** A message was pushed, or was not. */
  delivered(status: DeliveryStatus): void;
  /** All of it, as text. */
  text(): Promise<string>;
  readonly contentType: string;
  close(): void;
}

/** Few, because there are as many series for each kind of request. */
const REQUEST_SECONDS = [0.001, 0.01, 0.1, 1];
const COMMIT_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2];
const COMMIT_STEPS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];
const NS_PER_S = 1e9;

/** `connections`: how many streams are open now. `inside`: nothing while the engine is not open. */
export function createMetrics(
  connections: () => number,
  inside: () => Inside | undefined = () => undefined,
): Metrics {
  const register = new Registry();
  const requests = countRequests(register);
  const observer = observe(register);
  const lag = watchProcess(register);
  new Gauge({
    name: "resonate_connections",
    help: "Streams that are open.",
    registers: [register],
    collect() {
      this.set(connections());
    },
  });
  watchRecords(register, inside);
  return {
    observer,
    answered: requests,
    delivered: countDeliveries(register),
    text: () => register.metrics(),
    contentType: register.contentType,
    close: () => lag.disable(),
  };
}

function countRequests(register: Registry): Metrics["answered"] {
  const total = new Counter({
    name: "resonate_request_total",
    help: "Requests that were answered.",
    labelNames: ["kind", "status"],
    registers: [register],
  });
  const duration = new Histogram({
    name: "resonate_request_duration_seconds",
    help: "Time from reading a request to its answer.",
    labelNames: ["kind"],
    buckets: REQUEST_SECONDS,
    registers: [register],
  });
  return ({ kind: given, status }, seconds) => {
    const kind = isRequestKind(given) || isDebugKind(given) ? given : "other";
    total.inc({ kind, status });
    duration.observe({ kind }, seconds);
  };
}

function countDeliveries(register: Registry): Metrics["delivered"] {
  const total = new Counter({
    name: "resonate_deliveries_total",
    help: "Messages to http and https addresses: success (taken), error (not taken, or not allowed), dropped (not tried).",
    labelNames: ["status"],
    registers: [register],
  });
  return (status) => total.inc({ status });
}

function observe(register: Registry): Observer {
  const messages = new Counter({
    name: "resonate_messages_total",
    help: "Messages that came out of commits.",
    labelNames: ["kind"],
    registers: [register],
  });
  const occurrences = new Counter({
    name: "resonate_schedule_promises_total",
    help: "Occurrences of schedules that were fired.",
    registers: [register],
  });
  const duration = new Histogram({
    name: "resonate_commit_duration_seconds",
    help: "Time that commits took, from their first step to the disk.",
    buckets: COMMIT_SECONDS,
    registers: [register],
  });
  const steps = new Histogram({
    name: "resonate_commit_steps",
    help: "Requests and due steps that shared a commit.",
    buckets: COMMIT_STEPS,
    registers: [register],
  });
  return {
    committing(count) {
      const startedAt = performance.now();
      return (committed: Committed) => {
        duration.observe((performance.now() - startedAt) / 1_000);
        steps.observe(count);
        messages.inc({ kind: "execute" }, committed.executes);
        messages.inc({ kind: "unblock" }, committed.unblocks);
        occurrences.inc(committed.occurrences);
      };
    },
  };
}

function watchProcess(register: Registry) {
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  new Gauge({
    name: "resonate_event_loop_lag_seconds",
    help: "How late timers were since the last look: half of them at most that late, and 99 of 100.",
    labelNames: ["quantile"],
    registers: [register],
    collect() {
      for (const percent of [50, 99]) {
        this.set({ quantile: percent / 100 }, lag.percentile(percent) / NS_PER_S);
      }
      lag.reset();
    },
  });
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Memory that the process takes.",
    registers: [register],
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "When the process started, in seconds since the epoch.",
    registers: [register],
  }).set(Math.round(performance.timeOrigin / 1_000));
  return lag;
}
