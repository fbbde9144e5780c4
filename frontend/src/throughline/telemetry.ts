/** Sets up tracing: provider, processors, exporters, and the counting of undelivered telemetry. */
import type { Attributes, Tracer } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Span,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { LogPoster } from "./log";
import { OtlpSender, type OtlpTarget, RETRY_MAX_MS } from "./otlp";

export interface TelemetrySettings {
  serviceName: string;
  /** The build's version, such as its commit; empty if it is unknown. */
  serviceVersion?: string;
  /**
   * Base of the OTLP/HTTP endpoint, without `/v1/…`; may be a path of the page's own origin. If
   * empty, nothing is sent.
   */
  otlpEndpoint: string;
  /** The share of traces to record, from 0 to 1; all by default. */
  sampleRatio?: number;
  /** Headers for the endpoint; see `OtlpTarget`. */
  headers?: OtlpTarget["headers"];
}

export interface Telemetry {
  tracer: Tracer;
  logs: LogPoster;
  /** How many spans and log records could not be delivered so far. */
  dropped(): number;
  /** Sends the waiting spans and log records; never rejects. */
  flush(): Promise<void>;
}

// Short, so that a trace is visible while its order is still moving.
const BATCH_DELAY_MS = 400;
const EXPORT_TIMEOUT_MS = 2_000;
// A full batch is encoded within the call that ends its last span, which may be a click's: 64 spans
// take a millisecond or two, and fit into what a browser sends for a page that is being closed.
const BATCH_MAX_SPANS = 64;

/** Starts tracing and logging over OTLP/HTTP (JSON), and flushes when the page is hidden. */
export function startTelemetry({
  serviceName,
  serviceVersion,
  otlpEndpoint,
  sampleRatio = 1,
  headers,
}: TelemetrySettings): Telemetry {
  const resource: Attributes = {
    "service.name": serviceName,
    ...(serviceVersion && { "service.version": serviceVersion }),
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.language": "webjs",
  };
  const endpoint = otlpEndpoint.replace(/\/+$/, "");
  const target = { timeoutMs: EXPORT_TIMEOUT_MS, headers };
  const url = (path: string) => endpoint && endpoint + path;
  const losses = new Losses(endpoint);
  const open = new OpenSpans();
  const tracerProvider = new TracerProvider({
    resource: resourceFromAttributes(resource),
    // Decided once for each trace, at its root. The functions follow the flag, as the page does with
    // a trace that began elsewhere, so that a trace is whole or absent.
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [
      open,
      new BatchSpanProcessor({
        scheduledDelayMillis: BATCH_DELAY_MS,
        maxExportBatchSize: BATCH_MAX_SPANS,
        // Longer than an export takes, which has two attempts.
        exportTimeoutMillis: 3 * EXPORT_TIMEOUT_MS + RETRY_MAX_MS,
        // Flushed below instead, with the logs and on `pagehide` as well.
        disableAutoFlushOnDocumentHide: true,
        exporter: new JsonExporter(new OtlpSender({ ...target, url: url("/v1/traces") }), losses),
      }),
    ],
  });
  const logs = new LogPoster({
    ...target,
    url: url("/v1/logs"),
    resource,
    delayMs: BATCH_DELAY_MS,
    lost: (records, error) => losses.add(records, error),
  });
  const flush = async () => {
    // A rejection means spans that `losses` has already counted.
    await Promise.allSettled([tracerProvider.forceFlush(), logs.flush()]);
  };
  if (typeof document !== "undefined") {
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") void flush();
    });
    window.addEventListener("pagehide", () => {
      open.end();
      void flush();
    });
  }
  return {
    tracer: tracerProvider.getTracer("throughline"),
    logs,
    dropped: () => losses.count,
    flush,
  };
}

/**
 * The spans that have started and not ended.
 *
 * A page that is closed while a write is in flight would lose its spans, and what the write
 * triggers would have no parent. So the page ends them when it is closed.
 */
class OpenSpans implements SpanProcessor {
  private readonly spans = new Set<Span>();

  onStart(span: Span): void {
    this.spans.add(span);
  }

  onEnd(span: unknown): void {
    this.spans.delete(span as Span);
  }

  /** Ends every open span, marked `throughline.abandoned`. */
  end(): void {
    for (const span of this.spans) {
      span.setAttribute("throughline.abandoned", true);
      span.end();
    }
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

/** Exports spans through an `OtlpSender`, and counts those that are lost. */
class JsonExporter implements SpanExporter {
  constructor(
    private readonly sender: OtlpSender,
    private readonly losses: Losses,
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const body = JsonTraceSerializer.serializeRequest(spans) as Uint8Array<ArrayBuffer>;
    this.sender.send(body).then(
      () => done({ code: ExportResultCode.SUCCESS }),
      (error: Error) => {
        this.losses.add(spans.length, error);
        done({ code: ExportResultCode.FAILED, error });
      },
    );
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

/** Counts undelivered items, and warns once in the console. */
class Losses {
  count = 0;

  constructor(private readonly endpoint: string) {}

  add(items: number, error: Error | undefined): void {
    if (this.count === 0) {
      console.warn(
        `Telemetry cannot be delivered to ${this.endpoint} (${error?.message ?? "no reason given"}). ` +
          "It is dropped and counted from now on; the page still works.",
      );
    }
    this.count += items;
  }
}
