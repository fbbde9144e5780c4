"""What happens to telemetry that nobody takes: a bounded wait, a bounded store, a count, a line.

An endpoint that is only slow, or restarts, loses nothing: what it did not take is kept and sent
again. One that is dead costs a request one time-out, then nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

FIRST_RETRY_SECONDS = 1.0
RETRY_MAX_SECONDS = 15.0
KEPT_MAX_ITEMS = 2048
# What was kept goes out within a request's flush, when production has a CPU for it.
CATCH_UP_SECONDS = 0.5

Item = TypeVar("Item")

_log = logging.getLogger(__name__)


class Outage:
    """Remembers that the OTLP endpoint is not answering, for all of a process's exporters.

    While it lasts nothing is sent, so a dead endpoint costs a request nothing; after a gap, which
    doubles from one second to `RETRY_MAX_SECONDS`, one export tries again. The start and the end
    are each said once, the end with the number of items dropped meanwhile.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._gap_seconds = 0.0
        self.dropped = 0

    def seconds_left(self) -> float:
        """How long nothing is to be sent; 0 where there is no outage, or its gap is over."""
        return max(0.0, self._until - time.monotonic())

    def begin(self) -> None:
        """An export failed: wait, or wait longer."""
        with self._lock:
            first = not self._gap_seconds
            self._gap_seconds = min(2 * self._gap_seconds or FIRST_RETRY_SECONDS, RETRY_MAX_SECONDS)
            self._until = time.monotonic() + self._gap_seconds
        if first:
            _log.warning(
                "The OTLP endpoint does not answer: up to %d spans and as many log records are "
                "kept until it does. Is the Observatory running, and OTEL_EXPORTER_OTLP_ENDPOINT "
                "right?",
                KEPT_MAX_ITEMS,
            )

    def end(self) -> None:
        """An export succeeded."""
        with self._lock:
            lasted, dropped = bool(self._gap_seconds), self.dropped
            self._until = self._gap_seconds = 0.0
            self.dropped = 0
        if lasted:
            _log.warning("The OTLP endpoint answers again; %d items were dropped", dropped)

    def drop(self, items: int) -> None:
        """Count items that are given up."""
        with self._lock:
            self.dropped += items


class Delivery(Generic[Item]):
    """Delivers batches through `export`, and keeps those that were not taken.

    The newest is sent first: if it is taken, the endpoint is there, and an older one that it then
    refuses will never be taken; so one bad batch doesn't stand in the way of the others.
    """

    def __init__(self, export: Callable[[Sequence[Item]], bool], outage: Outage) -> None:
        self._export = export
        self._outage = outage
        self._lock = threading.RLock()
        self._kept: deque[Sequence[Item]] = deque()
        self._timer: threading.Timer | None = None

    def deliver(self, batch: Sequence[Item]) -> bool:
        """Deliver a batch, and what was kept, unless there is an outage; returns whether it was."""
        with self._lock:
            if self._outage.seconds_left():
                self._keep(batch)
                return False
            if not self._export(batch):
                self._outage.begin()
                self._keep(batch)
                return False
            self._outage.end()
            self._catch_up()
            return True

    def end(self) -> None:
        """Try what is kept once more; what isn't taken now is gone."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
            if self._kept and self._export(self._kept.pop()):
                self._catch_up()
            self._kept.clear()

    def _keep(self, batch: Sequence[Item]) -> None:
        self._kept.append(batch)
        while sum(map(len, self._kept)) > KEPT_MAX_ITEMS:
            self._outage.drop(len(self._kept.popleft()))
        self._try_later()

    def _catch_up(self) -> None:
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while self._kept and time.monotonic() < deadline:
            batch = self._kept.pop()
            if not self._export(batch):
                _log.warning("The OTLP endpoint refuses a batch: %d items are dropped", len(batch))
        if self._kept:
            self._try_later()

    def _try_later(self) -> None:
        """Nobody may call this function again for a long time, so what is kept has a timer."""
        if self._timer is None:
            self._timer = threading.Timer(self._outage.seconds_left() + 0.01, self._try_again)
            self._timer.daemon = True
            self._timer.start()

    def _try_again(self) -> None:
        with self._lock:
            self._timer = None
            if self._kept:
                self.deliver(self._kept.pop())


class PatientSpanExporter(SpanExporter):
    """Exports spans through `exporter`, and doesn't insist while there is an outage."""

    def __init__(self, exporter: SpanExporter, outage: Outage) -> None:
        self._exporter = exporter
        self._delivery: Delivery[ReadableSpan] = Delivery(
            lambda spans: exporter.export(spans) is SpanExportResult.SUCCESS, outage
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        delivered = self._delivery.deliver(spans)
        return SpanExportResult.SUCCESS if delivered else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self._delivery.end()
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class PatientLogExporter(LogRecordExporter):
    """Exports log records through `exporter`, and doesn't insist while there is an outage."""

    def __init__(self, exporter: LogRecordExporter, outage: Outage) -> None:
        self._exporter = exporter
        self._delivery: Delivery[ReadableLogRecord] = Delivery(
            lambda batch: exporter.export(batch) is LogRecordExportResult.SUCCESS, outage
        )

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        delivered = self._delivery.deliver(batch)
        return LogRecordExportResult.SUCCESS if delivered else LogRecordExportResult.FAILURE

    def shutdown(self) -> None:
        self._delivery.end()
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)
