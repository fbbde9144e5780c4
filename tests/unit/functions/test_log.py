"""Log records as OpenTelemetry receives them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider

from throughline import log

TRACER = TracerProvider().get_tracer("test")


@pytest.fixture
def records() -> Iterator[InMemoryLogRecordExporter]:
    """The exporter of the log records of one test."""
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    root.setLevel(logging.INFO)
    log.to_otlp(provider)
    yield exporter
    root.handlers[:] = before
    root.setLevel(level)
    provider.shutdown()


@pytest.mark.parametrize(
    ("level", "number", "text"),
    [
        (logging.INFO, SeverityNumber.INFO, "INFO"),
        (logging.INFO + 5, SeverityNumber.INFO, "INFO"),
        (logging.WARNING, SeverityNumber.WARN, "WARN"),
        (logging.ERROR, SeverityNumber.ERROR, "ERROR"),
        (logging.CRITICAL, SeverityNumber.FATAL, "FATAL"),
    ],
)
def test_a_level_becomes_a_severity(
    records: InMemoryLogRecordExporter, level: int, number: SeverityNumber, text: str
) -> None:
    """It has OpenTelemetry's number and name; custom levels round down."""
    logging.getLogger("boxoffice.test").log(level, "seats: %d", 2)
    (sent,) = records.get_finished_logs()
    assert (sent.log_record.severity_number, sent.log_record.severity_text) == (number, text)
    assert sent.log_record.body == "seats: 2"
    assert sent.instrumentation_scope
    assert sent.instrumentation_scope.name == "boxoffice.test"


def test_a_record_has_the_current_span(records: InMemoryLogRecordExporter) -> None:
    """It has the time of the call."""
    with TRACER.start_as_current_span("charge") as span:
        logging.getLogger().warning("the card is slow")
    (sent,) = records.get_finished_logs()
    assert sent.log_record.span_id == span.get_span_context().span_id
    assert sent.log_record.trace_id == span.get_span_context().trace_id
    assert sent.log_record.timestamp is not None


def test_exceptions_and_extra_fields_become_attributes(
    records: InMemoryLogRecordExporter,
) -> None:
    """Exceptions use the semantic conventions' names, extra fields the caller's."""
    try:
        raise LookupError("no such order")
    except LookupError:
        logging.getLogger().exception("failed", extra={"boxoffice.show.id": "night-ferry"})
    (sent,) = records.get_finished_logs()
    attributes = dict(sent.log_record.attributes or {})
    assert attributes["boxoffice.show.id"] == "night-ferry"
    assert attributes["exception.type"] == "LookupError"
    assert attributes["exception.message"] == "no such order"
    assert "test_log.py" in str(attributes["exception.stacktrace"])
    assert len(attributes) == 4


def test_a_message_that_cannot_be_formatted_does_not_raise(
    records: InMemoryLogRecordExporter,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error goes to stderr, as in logging, and the caller continues."""
    root = logging.getLogger()
    # pytest's own handlers re-raise such errors.
    ours = [handler for handler in root.handlers if type(handler).__module__ == log.__name__]
    monkeypatch.setattr(root, "handlers", ours)
    root.warning("seats: %d", "two")
    assert "--- Logging error ---" in capsys.readouterr().err
    assert records.get_finished_logs() == ()
