"""Hop 15: every log record names the trace and the span that were current."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping

import flask
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import get_current
from opentelemetry.sdk._logs import LoggerProvider

# delivery.py reports failed exports once; the exporters would repeat theirs. The propagator quotes
# what a client sent.
_SILENCED = ("opentelemetry.exporter", "opentelemetry.baggage.propagation")

# Python's levels from the highest down, with their numbers and names in the logs data model
# (opentelemetry.io/docs/specs/otel/logs/data-model, appendix B).
_SEVERITIES = (
    (logging.CRITICAL, SeverityNumber.FATAL, "FATAL"),
    (logging.ERROR, SeverityNumber.ERROR, "ERROR"),
    (logging.WARNING, SeverityNumber.WARN, "WARN"),
    (logging.INFO, SeverityNumber.INFO, "INFO"),
    (logging.NOTSET, SeverityNumber.DEBUG, "DEBUG"),
)
# Messages of the Firebase SDK that quote what a client sent: a token, a method, a content type.
_QUOTING_MODULE = "firebase_functions/private/util.py"
_QUOTING = ("Error validating token", "Request has")
EXECUTION_ID_HEADER = "Function-Execution-Id"
# The values of LOG_EXECUTION_ID that count as true in Functions Framework.
_FRAMEWORK_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def _without_quotes(record: logging.LogRecord) -> bool:
    """Remove what a client sent from a record of the Firebase SDK; it may be personal."""
    if record.pathname.endswith(_QUOTING_MODULE):
        for constant in _QUOTING:
            if str(record.msg).startswith(constant):
                record.msg, record.args = re.split("[:%]", str(record.msg))[0].strip(), ()
    return True


class _CloudLoggingJson(logging.Formatter):
    """Formats a record as one line of JSON with the fields that Cloud Logging reads.

    Cloud Logging shows a record beside its trace if the fields under `logging.googleapis.com` name
    the trace with its project (cloud.google.com/logging/docs/structured-logging).
    """

    def __init__(self, project_id: str | None, with_execution_ids: bool) -> None:
        super().__init__()
        self._project_id = project_id
        self._with_execution_ids = with_execution_ids

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
        if self._with_execution_ids and flask.has_request_context():
            execution_id = flask.request.headers.get(EXECUTION_ID_HEADER)
            if execution_id:
                line["logging.googleapis.com/labels"] = {"execution_id": execution_id}
        return json.dumps(line)


def to_stdout(project_id: str | None, environment: Mapping[str, str]) -> None:
    """Write log records of INFO and above to standard output, which Cloud Logging collects.

    If `project_id` is known, each names its trace as Cloud Logging expects it. If
    `LOG_EXECUTION_ID` is set, as `firebase deploy` does, each has its execution's id as a label.
    """
    with_execution_ids = environment.get("LOG_EXECUTION_ID") in _FRAMEWORK_TRUE
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_CloudLoggingJson(project_id, with_execution_ids))
    handler.addFilter(_without_quotes)
    root = logging.getLogger()
    if with_execution_ids:
        _remove_frameworks_handler(root)
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def _remove_frameworks_handler(root: logging.Logger) -> None:
    """Remove the handler that Functions Framework adds to log execution ids.

    It would print each record a second time, without its severity and its trace.
    """
    framework = sys.modules.get("functions_framework.execution_id")
    stream = getattr(framework, "logging_stream", None)
    for handler in list(root.handlers):
        if stream is not None and getattr(handler, "stream", None) is stream:
            root.removeHandler(handler)


class _OtlpHandler(logging.Handler):
    """Passes each record to OpenTelemetry with the current context.

    OpenTelemetry's own handler is in its logging instrumentation, whose import lengthens
    every cold start.
    """

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__()
        self.addFilter(_without_quotes)
        self._provider = provider

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._provider.get_logger(record.name).emit(_as_otlp(record))
        except Exception:  # noqa: BLE001  (like logging's own handlers; logging never raises)
            self.handleError(record)


def _as_otlp(record: logging.LogRecord) -> LogRecord:
    number, text = next(
        (number, text) for least, number, text in _SEVERITIES if record.levelno >= least
    )
    fields = vars(record)
    return LogRecord(
        timestamp=int(record.created * 1e9),
        context=get_current(),
        severity_number=number,
        severity_text=text,
        body=record.getMessage(),
        # The caller's `extra=`.
        attributes={name: fields[name] for name in fields.keys() - _OWN_FIELDS},
        exception=record.exc_info[1] if record.exc_info else None,
    )


def to_otlp(provider: LoggerProvider) -> None:
    """Send log records of INFO and above through `provider` as well."""
    logging.getLogger().addHandler(_OtlpHandler(provider))


def silence_opentelemetry() -> None:
    """Keep messages of OpenTelemetry's exporters and baggage propagator out of the log."""
    for name in _SILENCED:
        logging.getLogger(name).setLevel(logging.CRITICAL)
