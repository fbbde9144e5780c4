"""Hop 15: every log record names the trace and the span it was written in."""

from __future__ import annotations

import json
import logging
import sys

from opentelemetry import trace
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider

# The exporters' own complaints are said once, by delivery.py; said by them they would repeat.
_EXPORTERS = "opentelemetry.exporter"


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


def to_otlp(provider: LoggerProvider) -> None:
    """Send log records of INFO and above through `provider` as well."""
    logging.getLogger().addHandler(LoggingHandler(logger_provider=provider))


def hush_exporters() -> None:
    """Keep the exporters' own complaints out of the log."""
    logging.getLogger(_EXPORTERS).setLevel(logging.CRITICAL)
