/**
 * Hop 15: every log record has the ids of its span.
 *
 * The records are encoded as OTLP/JSON here: a page logs a few flat records, and OpenTelemetry's SDK
 * for logs would make the page larger. Fields:
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and
 * https://opentelemetry.io/docs/specs/otel/logs/data-model/.
 */
import { type Attributes, SeverityNumber, type SpanContext } from "@opentelemetry/api";
import { OtlpSender, type OtlpTarget } from "./otlp";

export type Severity = "info" | "warn" | "error";

const SEVERITY_NUMBER: Record<Severity, SeverityNumber> = {
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
};

/** Writes one record; without a span context it belongs to no span. */
export type Log = (
  severity: Severity,
  message: string,
  spanContext?: SpanContext,
  attributes?: Attributes,
) => void;

/** The endpoint for log records, and a callback for those that could not be delivered. */
export interface LogTarget extends OtlpTarget {
  /** Attributes of the resource that the records come from, such as `service.name`. */
  resource: Attributes;
  delayMs: number;
  lost: (records: number, error: Error) => void;
}

// More than a page logs within an endpoint's time-out; OpenTelemetry's limit for spans.
const WAITING_MAX_RECORDS = 2048;

/**
 * Batches log records and sends them to an OTLP endpoint after a short delay.
 *
 * One batch at a time: browsers open six connections to a host, and a slow endpoint must not take
 * those that the page needs.
 */
export class LogPoster {
  private waiting: unknown[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sending = 0;
  private readonly sender: OtlpSender;

  constructor(private readonly target: LogTarget) {
    this.sender = new OtlpSender(target);
  }

  /** Adds one record; it is sent after `delayMs`, or after the batch that is being sent. */
  post(
    severity: Severity,
    message: string,
    spanContext: SpanContext | undefined,
    attributes: Attributes,
  ): void {
    if (this.waiting.length >= WAITING_MAX_RECORDS) {
      this.target.lost(1, new Error("too many log records are waiting"));
      return;
    }
    const unixNano = `${Date.now()}000000`;
    this.waiting.push({
      timeUnixNano: unixNano,
      observedTimeUnixNano: unixNano,
      severityNumber: SEVERITY_NUMBER[severity],
      severityText: severity.toUpperCase(),
      body: { stringValue: message },
      attributes: keyValues(attributes),
      ...(spanContext && {
        traceId: spanContext.traceId,
        spanId: spanContext.spanId,
        flags: spanContext.traceFlags,
      }),
    });
    this.schedule();
  }

  private schedule(): void {
    if (this.sending > 0) return;
    this.timer ??= setTimeout(() => void this.flush(), this.target.delayMs);
  }

  /** Sends the waiting records once, even while others are being sent; never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const records = this.waiting;
    if (records.length === 0) return;
    this.waiting = [];
    const { resource, lost } = this.target;
    const body = JSON.stringify({
      resourceLogs: [
        {
          resource: { attributes: keyValues(resource) },
          scopeLogs: [{ scope: { name: "throughline" }, logRecords: records }],
        },
      ],
    });
    this.sending++;
    try {
      await this.sender.send(new TextEncoder().encode(body));
    } catch (error) {
      lost(records.length, error as Error);
    } finally {
      this.sending--;
      if (this.waiting.length > 0) this.schedule();
    }
  }
}

/** A log that goes to OTLP through `poster`, and to the browser's console with its ids in view. */
export function createLog(poster: LogPoster, sink: Pick<Console, Severity> = console): Log {
  return (severity, message, spanContext, attributes = {}) => {
    poster.post(severity, message, spanContext, attributes);
    const ids = spanContext ? { trace_id: spanContext.traceId, span_id: spanContext.spanId } : {};
    sink[severity](message, { ...ids, ...attributes });
  };
}

/** Encodes attributes as OTLP's typed pairs; other types are converted to strings. */
function keyValues(attributes: Attributes): unknown[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValue(value) }],
  );
}

function anyValue(value: unknown): unknown {
  if (typeof value === "boolean") return { boolValue: value };
  if (Number.isInteger(value)) return { intValue: value };
  if (typeof value === "number") return { doubleValue: value };
  return { stringValue: String(value) };
}
