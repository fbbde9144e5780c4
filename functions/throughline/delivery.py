"""What happens to telemetry that nobody takes: a bounded wait, a count, one line in the log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

RETRY_AFTER_SECONDS = 15.0

_log = logging.getLogger(__name__)


class Outage:
    """Remembers that the OTLP endpoint is not answering, for all of a process's exporters.

    While it lasts nothing is sent, so a dead endpoint costs a request nothing; every
    `RETRY_AFTER_SECONDS` one export tries again. The start and the end are each said once, the end
    with the number of items dropped meanwhile.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self.dropped = 0

    def attempt(self, items: int, export: Callable[[], bool]) -> bool:
        """Run `export`, which delivers `items` spans or records, unless there is an outage now.

        Returns whether they were delivered.
        """
        if time.monotonic() < self._until:
            with self._lock:
                self.dropped += items
            return False
        delivered = export()
        if delivered:
            self._end()
        else:
            self._begin(items)
        return delivered

    def _begin(self, dropped: int) -> None:
        with self._lock:
            first = self._until == 0.0
            self._until = time.monotonic() + RETRY_AFTER_SECONDS
            self.dropped += dropped
        if first:
            _log.warning(
                "The OTLP endpoint does not answer: telemetry is dropped until it does. "
                "Is the Observatory running, and OTEL_EXPORTER_OTLP_ENDPOINT right?"
            )

    def _end(self) -> None:
        with self._lock:
            lasted, dropped = self._until != 0.0, self.dropped
            self._until, self.dropped = 0.0, 0
        if lasted:
            _log.warning("The OTLP endpoint answers again; %d items were dropped", dropped)


class PatientSpanExporter(SpanExporter):
    """Exports spans through `exporter`, and doesn't insist while there is an outage."""

    def __init__(self, exporter: SpanExporter, outage: Outage) -> None:
        self._exporter = exporter
        self._outage = outage

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        delivered = self._outage.attempt(
            len(spans), lambda: self._exporter.export(spans) is SpanExportResult.SUCCESS
        )
        return SpanExportResult.SUCCESS if delivered else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class PatientLogExporter(LogRecordExporter):
    """Exports log records through `exporter`, and doesn't insist while there is an outage."""

    def __init__(self, exporter: LogRecordExporter, outage: Outage) -> None:
        self._exporter = exporter
        self._outage = outage

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        delivered = self._outage.attempt(
            len(batch), lambda: self._exporter.export(batch) is LogRecordExportResult.SUCCESS
        )
        return LogRecordExportResult.SUCCESS if delivered else LogRecordExportResult.FAILURE

    def shutdown(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)
