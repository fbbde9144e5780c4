/** The one place that sets tracing up: provider, processors, exporters, and what happens to losses. */
import type { Attributes, Tracer } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type Span,
  type SpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { LogPoster } from "./log";

export interface TelemetrySettings {
  serviceName: string;
  /** Base of the OTLP/HTTP endpoint, without `/v1/…`. */
  otlpEndpoint: string;
}

export interface Telemetry {
  tracer: Tracer;
  logs: LogPoster;
  /** How many spans and log records could not be delivered so far. */
  dropped(): number;
  /** Sends what is waiting; never rejects. */
  flush(): Promise<void>;
}

// Short, so that a trace can be looked at while its order is still moving.
const BATCH_DELAY_MS = 400;
const EXPORT_TIMEOUT_MS = 2_000;

/** Starts tracing and logging over OTLP/HTTP (JSON), and flushes when the page is hidden. */
export function startTelemetry({ serviceName, otlpEndpoint }: TelemetrySettings): Telemetry {
  const resource: Attributes = {
    "service.name": serviceName,
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.language": "webjs",
  };
  const endpoint = otlpEndpoint.replace(/\/+$/, "");
  const losses = new Losses(endpoint);
  const open = new OpenSpans();
  const tracerProvider = new TracerProvider({
    resource: resourceFromAttributes(resource),
    // A remote parent's unsampled flag is not obeyed: a trace with holes helps nobody.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [
      open,
      new BatchSpanProcessor({
        scheduledDelayMillis: BATCH_DELAY_MS,
        exportTimeoutMillis: 2 * EXPORT_TIMEOUT_MS,
        // Flushed below instead, with the logs and on `pagehide` as well.
        disableAutoFlushOnDocumentHide: true,
        exporter: losses.counting(
          new OTLPTraceExporter({
            url: `${endpoint}/v1/traces`,
            timeoutMillis: EXPORT_TIMEOUT_MS,
          }),
        ),
      }),
    ],
  });
  const logs = new LogPoster({
    url: `${endpoint}/v1/logs`,
    resource,
    delayMs: BATCH_DELAY_MS,
    timeoutMs: EXPORT_TIMEOUT_MS,
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
 * The spans that have begun and not ended.
 *
 * A page that is closed while a write is in flight would take its spans with it, and leave what the
 * write sets off without a parent. So the page's last act is to end them.
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

interface Exporter<T> {
  export(items: T[], done: (result: ExportResult) => void): void;
}

/** Counts what could not be delivered, and says so once in the console. */
class Losses {
  count = 0;

  constructor(private readonly endpoint: string) {}

  /** `exporter`, its failures counted. */
  counting<T, E extends Exporter<T>>(exporter: E & Exporter<T>): E {
    const send = exporter.export.bind(exporter);
    exporter.export = (items, done) =>
      send(items, (result) => {
        if (result.code !== ExportResultCode.SUCCESS) this.add(items.length, result.error);
        done(result);
      });
    return exporter;
  }

  add(items: number, error: Error | undefined): void {
    if (this.count === 0) {
      console.warn(
        `Telemetry cannot be delivered to ${this.endpoint} (${error?.message ?? "no reason given"}). ` +
          "It is dropped and counted from here on; the page works without it.",
      );
    }
    this.count += items;
  }
}
