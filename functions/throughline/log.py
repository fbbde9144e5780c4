"""Hop 15: every log record names the trace and the span it was written in."""

from __future__ import annotations

import json
import logging
import sys

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import get_current
from opentelemetry.sdk._logs import LoggerProvider

# delivery.py reports failed exports once; the exporters would repeat theirs. The propagator quotes
# what a client sent.
_SILENCED = ("opentelemetry.exporter", "opentelemetry.baggage.propagation")

# Python's levels from the highest down, as the logs data model counts and spells them
# (opentelemetry.io/docs/specs/otel/logs/data-model, appendix B).
_SEVERITIES = (
    (logging.CRITICAL, SeverityNumber.FATAL, "FATAL"),
    (logging.ERROR, SeverityNumber.ERROR, "ERROR"),
    (logging.WARNING, SeverityNumber.WARN, "WARN"),
    (logging.INFO, SeverityNumber.INFO, "INFO"),
    (logging.NOTSET, SeverityNumber.DEBUG, "DEBUG"),
)
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class _CloudLoggingJson(logging.Formatter):
    """One JSON object a line, in the field names that Cloud Logging reads.

    It shows a record beside its trace where the fields under `logging.googleapis.com` name that
    with the project (cloud.google.com/logging/docs/structured-logging).
    """

    def __init__(self, project_id: str | None) -> None:
        super().__init__()
        self._project_id = project_id

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "severity": record.levelname,
            "message": super().format(record),
        }
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = trace.format_trace_id(span.trace_id)
            line["span_id"] = trace.format_span_id(span.span_id)
            if self._project_id:
                trace_name = f"projects/{self._project_id}/traces/{line['trace_id']}"
                line["logging.googleapis.com/trace"] = trace_name
                line["logging.googleapis.com/spanId"] = line["span_id"]
                line["logging.googleapis.com/trace_sampled"] = span.trace_flags.sampled
        return json.dumps(line)


def to_stdout(project_id: str | None) -> None:
    """Write log records of INFO and above to standard output, which Cloud Logging collects.

    Where `project_id` is known, each names its trace as Cloud Logging wants it.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_CloudLoggingJson(project_id))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)


class _OtlpHandler(logging.Handler):
    """Hands each record to OpenTelemetry, in the context in which it was written.

    OpenTelemetry has one in its logging instrumentation, whose import alone is half of what tracing
    adds to a cold start.
    """

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__()
        self._provider = provider

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._provider.get_logger(record.name).emit(_as_otlp(record))
        except Exception:  # noqa: BLE001  (as logging's own handlers do; what is logged never fails)
            self.handleError(record)


def _as_otlp(record: logging.LogRecord) -> LogRecord:
    number, text = next(
        (number, text) for least, number, text in _SEVERITIES if record.levelno >= least
    )
    said = vars(record)
    return LogRecord(
        timestamp=int(record.created * 1e9),
        context=get_current(),
        severity_number=number,
        severity_text=text,
        body=record.getMessage(),
        # What the caller added with `extra=`.
        attributes={name: said[name] for name in said.keys() - _OWN_FIELDS},
        exception=record.exc_info[1] if record.exc_info else None,
    )


def to_otlp(provider: LoggerProvider) -> None:
    """Send log records of INFO and above through `provider` as well."""
    logging.getLogger().addHandler(_OtlpHandler(provider))


def silence_opentelemetry() -> None:
    """Keep messages of OpenTelemetry's exporters and baggage propagator out of the log."""
    for name in _SILENCED:
        logging.getLogger(name).setLevel(logging.CRITICAL)
