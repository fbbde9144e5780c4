/** Hop 15: every log record says which span it belongs to. */
import { type Attributes, type Logger, SeverityNumber, type SpanContext } from "@opentelemetry/api";
import { childOf } from "./span";

export type Severity = "info" | "warn" | "error";

const SEVERITY_NUMBER: Record<Severity, SeverityNumber> = {
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
};

/** Writes one record; without a span context it stands alone. */
export type Log = (
  severity: Severity,
  message: string,
  spanContext?: SpanContext,
  attributes?: Attributes,
) => void;

/** A log that goes to OTLP through `logger`, and to the browser's console with its ids in view. */
export function createLog(logger: Logger, sink: Pick<Console, Severity> = console): Log {
  return (severity, message, spanContext, attributes = {}) => {
    logger.emit({
      severityNumber: SEVERITY_NUMBER[severity],
      severityText: severity.toUpperCase(),
      body: message,
      attributes,
      context: childOf(spanContext),
    });
    const ids = spanContext ? { trace_id: spanContext.traceId, span_id: spanContext.spanId } : {};
    sink[severity](message, { ...ids, ...attributes });
  };
}
