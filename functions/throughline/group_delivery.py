"""Group delivery: exports the telemetry of all requests that are about to answer together.

Cloud Run takes the CPU away once a response is sent, so each request waits until its spans and log
records are delivered. The first request that waits leads an export: it gives the requests that are
still running a moment to join, then sends everything that was recorded, spans and log records at
the same time. Exports overlap, each in the thread of the request that leads it, so no request
queues behind another's export. A background thread delivers what no request waits for.
"""

from __future__ import annotations

import contextlib
import copy
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context, attach, detach, set_value
from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from throughline.delivery import KEPT_MAX_ITEMS, Delivery, Export, Outage

GROUP_DELAY_SECONDS = 0.002
BACKGROUND_DELAY_SECONDS = 5.0
# The background thread starts an export early once this much waits; OpenTelemetry's batch size.
BATCH_ITEMS = 512
# Exports have time-outs of their own. This only bounds the wait for a leader that was killed.
WAIT_MAX_SECONDS = 30.0

SpanExport = Export[ReadableSpan]
RecordExport = Export[ReadableLogRecord]


class _Batch:
    """Items that go out in one export; `done` is set once they are accepted or buffered."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.records: list[ReadableLogRecord] = []
        self.first_item_at = 0.0
        self.has_leader = False
        # Whether an item is from a thread that serves no request, such as a library's own. Its
        # request is unknown, so every request waits for it.
        self.has_unowned_items = False
        self.done = threading.Event()

    def __len__(self) -> int:
        return len(self.spans) + len(self.records)


class GroupDelivery:
    """Collects spans and log records, and delivers them for the requests that wait.

    `group_delay_seconds` is how long the first waiting request gives the others to join; it does
    not wait where no other request is running. With `in_background` no request waits: the
    background thread delivers every `background_delay_seconds`, and `shutdown` drains.

    An export that is None means that the signal is switched off. Thread-safe, and usable after a
    fork as long as nothing was recorded before it.
    """

    def __init__(  # noqa: PLR0913  (settings, each given by name)
        self,
        export_spans: SpanExport | None,
        export_records: RecordExport | None,
        outage: Outage,
        *,
        group_delay_seconds: float = GROUP_DELAY_SECONDS,
        background_delay_seconds: float = BACKGROUND_DELAY_SECONDS,
        in_background: bool = False,
    ) -> None:
        self._spans = Delivery(export_spans, outage) if export_spans else None
        self._records = Delivery(export_records, outage) if export_records else None
        self._outage = outage
        self._group_delay_seconds = group_delay_seconds
        self._background_delay_seconds = background_delay_seconds
        self._in_background = in_background
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """Create new locks and threads; the old ones do not survive a fork."""
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._background = threading.Condition(lock)
        self._open = _Batch()
        self._in_flight: set[_Batch] = set()
        self._running = 0
        self._flushing = 0
        self._is_shut_down = False
        self._thread: threading.Thread | None = None
        self._own = threading.local()

    def add_span(self, span: ReadableSpan) -> None:
        """Collect a span that ended."""
        self._add(self._spans, "spans", span)

    def add_record(self, record: ReadableLogRecord) -> None:
        """Collect a log record."""
        self._add(self._records, "records", record)

    def _add(self, delivery: Delivery[Any] | None, kind: str, item: object) -> None:
        if delivery is None:
            return
        with self._changed:
            batch = self._open
            items = getattr(batch, kind)
            if self._is_shut_down or len(items) >= KEPT_MAX_ITEMS:
                self._outage.drop(1)
                return
            if not len(batch):
                batch.first_item_at = time.monotonic()
            items.append(item)
            own: set[_Batch] | None = getattr(self._own, "batches", None)
            if own is None:
                batch.has_unowned_items = True
            else:
                own.add(batch)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._deliver_in_background, name="throughline-delivery", daemon=True
                )
                self._thread.start()
            if len(batch) == BATCH_ITEMS:
                self._background.notify()

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """Run one request in this thread; on leaving, what it recorded is delivered or buffered.

        With delivery in the background, leaving does not wait.
        """
        outer: set[_Batch] | None = getattr(self._own, "batches", None)
        self._own.batches = set()
        with self._changed:
            self._running += 1
        try:
            yield
        finally:
            try:
                if not self._in_background:
                    self.flush()
            finally:
                self._own.batches = outer
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

    def flush(self) -> None:
        """Return once all that this thread's request recorded is accepted or buffered.

        Outside a request, wait for everything that was recorded.
        """
        own: set[_Batch] | None = getattr(self._own, "batches", None)
        led = None
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            awaited = [
                batch
                for batch in (*self._in_flight, self._open)
                if len(batch) and (own is None or batch in own or batch.has_unowned_items)
            ]
            if self._open in awaited and not self._open.has_leader:
                led = self._lead()
        try:
            if led:
                self._export(led)
            for batch in awaited:
                batch.done.wait(WAIT_MAX_SECONDS)
        finally:
            if own:
                own.clear()
            with self._changed:
                self._flushing -= 1

    def _lead(self) -> _Batch:
        """Wait for others to join, close the open batch and return it. The lock is held."""
        batch = self._open
        batch.has_leader = True
        deadline = time.monotonic() + self._group_delay_seconds
        while self._running > self._flushing and self._open is batch:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not self._changed.wait(remaining):
                break
        return self._close(batch)

    def _close(self, batch: _Batch) -> _Batch:
        self._open = _Batch()
        self._in_flight.add(batch)
        return batch

    def _export(self, batch: _Batch) -> None:
        """Send a batch, spans and log records at the same time, and what was buffered after it."""
        # An exporter's own HTTP calls are not traced.
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        try:
            is_accepted = self._send(batch)
        finally:
            with self._changed:
                self._in_flight.discard(batch)
            batch.done.set()
        try:
            if is_accepted:
                for delivery in (self._spans, self._records):
                    if delivery:
                        delivery.catch_up()
        finally:
            detach(token)

    def _send(self, batch: _Batch) -> bool:
        """Send a batch; return whether the endpoint accepted any of it."""
        answers: list[Callable[[], bool]] = []
        if self._spans and batch.spans:
            answers.append(self._spans.start(batch.spans))
        if self._records and batch.records:
            answers.append(self._records.start(batch.records))
        # A list, because each answer has to be waited for.
        return any([is_accepted() for is_accepted in answers])

    def _deliver_in_background(self) -> None:
        """Deliver items that no request waits for, such as those of an aborted request."""
        while True:
            with self._background:
                if self._is_shut_down:
                    return
                batch = self._open
                due_in = self._background_delay_seconds
                if len(batch):
                    due_in += batch.first_item_at - time.monotonic()
                if batch.has_leader or (due_in > 0 and len(batch) < BATCH_ITEMS):
                    # Without an item, the next one may come at any time and is due later.
                    self._background.wait(max(due_in, 0.1))
                    continue
                self._close(batch)
            self._export(batch)

    def shutdown(self) -> None:
        """Deliver what is left, retry buffered batches once, and accept no more items."""
        with self._changed:
            if self._is_shut_down:
                return
            batch = self._close(self._open)
            self._is_shut_down = True
            in_flight = list(self._in_flight)
            self._background.notify_all()
        self._export(batch)
        for other in in_flight:
            other.done.wait(WAIT_MAX_SECONDS)
        for delivery in (self._spans, self._records):
            if delivery:
                delivery.end()
        self._outage.close()


class SpanCollector(SpanProcessor):
    """Passes each ended, sampled span to a group delivery."""

    def __init__(self, delivery: GroupDelivery) -> None:
        self._delivery = delivery

    def on_end(self, span: ReadableSpan) -> None:
        if span.context and span.context.trace_flags.sampled:
            self._delivery.add_span(span)

    def shutdown(self) -> None:
        self._delivery.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002  (the SDK's signature)
        self._delivery.flush()
        return True


class RecordCollector(LogRecordProcessor):
    """Passes each log record to a group delivery."""

    def __init__(self, delivery: GroupDelivery) -> None:
        self._delivery = delivery

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        # As OpenTelemetry's own processors do: the record must not keep its context alive.
        api_record = copy.copy(log_record.log_record)
        api_record.context = Context()
        self._delivery.add_record(
            ReadableLogRecord(
                log_record=api_record,
                resource=log_record.resource or Resource.create({}),
                instrumentation_scope=log_record.instrumentation_scope,
                limits=log_record.limits,
            )
        )

    def shutdown(self) -> None:
        self._delivery.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002  (the SDK's signature)
        self._delivery.flush()
        return True
