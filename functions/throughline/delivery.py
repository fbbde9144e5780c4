"""Buffers, retries and counts telemetry that the OTLP endpoint does not accept.

A slow or restarting endpoint loses nothing. A dead one costs one time-out, then nothing until the
next retry is due.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

FIRST_RETRY_SECONDS = 1.0
RETRY_MAX_SECONDS = 15.0
#: Limit of buffered spans, and of buffered log records.
KEPT_MAX_ITEMS = 2048
# Of the endpoint's own words about what it rejected.
REASON_MAX_CHARS = 200
# Buffered items are sent within a request's flush, when production has a CPU for it.
CATCH_UP_SECONDS = 0.5

Item = TypeVar("Item")
#: Sends a batch, and returns a function that waits for the endpoint's answer and returns whether
#: it accepted the batch. Neither raises.
Export = Callable[[Sequence[Item]], Callable[[], bool]]

_log = logging.getLogger(__name__)


_BUFFERED = f"up to {KEPT_MAX_ITEMS} spans and as many log records are kept until it does"


class Outage:
    """Whether the OTLP endpoint is failing; one for all exporters of a process.

    During an outage nothing is sent. After a gap, which doubles from one second to
    `RETRY_MAX_SECONDS`, one export tries again. The start and the end are logged once each, the end
    with the number of items that were dropped meanwhile. Thread-safe.

    Args:
        meanwhile: what happens to telemetry during an outage, for the log.
    """

    def __init__(self, meanwhile: str = _BUFFERED) -> None:
        self._meanwhile = meanwhile
        self._lock = threading.Lock()
        self._until = 0.0
        self._gap_seconds = 0.0
        self._failed_at = 0.0
        self.dropped = 0
        #: Items that the endpoint will never accept, such as those rejected in an answer of 200.
        self.rejected = 0
        self._has_rejected = False

    def seconds_left(self) -> float:
        """Return the seconds until the next attempt is due; 0 without an outage."""
        return max(0.0, self._until - time.monotonic())

    def may_try(self) -> bool:
        """Return whether to export now. In an outage, one caller gets True each time it is due."""
        with self._lock:
            now = time.monotonic()
            if now < self._until:
                return False
            if self._gap_seconds:
                # Others must not wait for a time-out too while this attempt is under way.
                self._until = now + self._gap_seconds
            return True

    def begin(self, attempted_at: float | None = None, retry_after_seconds: float = 0.0) -> None:
        """Record the failure of an export that began at `attempted_at` (`time.monotonic`).

        Of several overlapping exports only the first failure lengthens the gap. The next attempt is
        due after `retry_after_seconds` at the earliest, which the endpoint may ask for.
        """
        with self._lock:
            now = time.monotonic()
            is_first = not self._gap_seconds
            if attempted_at is not None and not is_first and attempted_at < self._failed_at:
                return
            self._failed_at = now
            self._gap_seconds = min(2 * self._gap_seconds or FIRST_RETRY_SECONDS, RETRY_MAX_SECONDS)
            self._until = now + max(self._gap_seconds, retry_after_seconds)
        if is_first:
            _log.warning(
                "The OTLP endpoint does not answer: %s. Is the Observatory running, and "
                "OTEL_EXPORTER_OTLP_ENDPOINT right?",
                self._meanwhile,
            )

    def end(self) -> None:
        """Record that an export succeeded."""
        if not self._gap_seconds and not self.dropped:
            return
        with self._lock:
            was_failing, dropped = bool(self._gap_seconds), self.dropped
            self._until = self._gap_seconds = 0.0
            self.dropped = 0
        if was_failing:
            _log.warning("The OTLP endpoint answers again; %d items were dropped", dropped)
        elif dropped:
            _log.warning(
                "%d items of telemetry were dropped: more came than could be sent", dropped
            )

    def drop(self, items: int) -> None:
        """Count items that are discarded; `end` or `close` logs how many."""
        with self._lock:
            self.dropped += items

    def reject(self, items: int, reason: str) -> None:
        """Count items that the endpoint rejected in an answer of 200, and log the first time."""
        self.count_rejected(items)
        with self._lock:
            is_first, self._has_rejected = not self._has_rejected, True
        if is_first:
            printable = "".join(c if c.isprintable() else "?" for c in reason[:REASON_MAX_CHARS])
            _log.warning(
                "The OTLP endpoint accepted an export and rejected %d of its items: %s. Such items "
                "are lost, and counted from now on",
                items,
                printable or "no reason given",
            )

    def doubt(self) -> None:
        """Log, the first time, that an answer of 200 is not one of OTLP."""
        with self._lock:
            is_first, self._has_rejected = not self._has_rejected, True
        if is_first:
            _log.warning(
                "The OTLP endpoint answers 200, but with something other than OTLP, so telemetry "
                "may be lost. Is OTEL_EXPORTER_OTLP_ENDPOINT right?"
            )

    def count_rejected(self, items: int) -> None:
        """Count items that the endpoint will never accept; `close` logs how many."""
        with self._lock:
            self.rejected += items

    def close(self) -> None:
        """Log what was lost and not yet logged, when the process ends."""
        with self._lock:
            dropped, self.dropped = self.dropped, 0
        if dropped or self.rejected:
            _log.warning(
                "%d items of telemetry were not delivered, and the OTLP endpoint rejected %d",
                dropped,
                self.rejected,
            )


class Delivery(Generic[Item]):
    """Sends batches of one signal through `export`, and buffers those that were not accepted.

    The newest batch is sent first: once it is accepted, the endpoint is known to be up, and an
    older batch that it then refuses would never be accepted, so it is dropped. Thread-safe; exports
    overlap.
    """

    def __init__(self, export: Export[Item], outage: Outage) -> None:
        self._export = export
        self._outage = outage
        self._lock = threading.Lock()
        self._kept: deque[Sequence[Item]] = deque()
        self._timer: threading.Timer | None = None

    def start(self, batch: Sequence[Item]) -> Callable[[], bool]:
        """Send a batch unless there is an outage; return a function that waits for the answer.

        That function returns whether the batch was accepted. The export's own time-out bounds it. A
        batch that is not accepted is buffered and retried.
        """
        if not self._outage.may_try():
            self._keep(batch)
            return _not_accepted
        attempted_at = time.monotonic()
        is_accepted = self._export(batch)

        def finish() -> bool:
            if not is_accepted():
                self._outage.begin(attempted_at)
                self._keep(batch)
                return False
            self._outage.end()
            return True

        return finish

    def deliver(self, batch: Sequence[Item]) -> bool:
        """Send a batch as `start` does, and return whether it was accepted."""
        return self.start(batch)()

    def catch_up(self) -> None:
        """Send what is buffered, for at most half a second; the rest is retried later."""
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while not self._outage.seconds_left() and time.monotonic() < deadline:
            batch = self._newest_kept()
            if batch is None:
                return
            if not self._export(batch)():
                self._outage.count_rejected(len(batch))
                _log.warning("The OTLP endpoint refuses a batch: %d items are dropped", len(batch))
        with self._lock:
            if self._kept:
                self._retry_later()

    def end(self) -> None:
        """Send the buffered batches once more; those that are not accepted now are lost."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
        newest = self._newest_kept()
        if newest is not None:
            if self._export(newest)():
                self._outage.end()
                self.catch_up()
            else:
                self._outage.drop(len(newest))
        with self._lock:
            for batch in self._kept:
                self._outage.drop(len(batch))
            self._kept.clear()

    def _newest_kept(self) -> Sequence[Item] | None:
        with self._lock:
            return self._kept.pop() if self._kept else None

    def _keep(self, batch: Sequence[Item]) -> None:
        with self._lock:
            self._kept.append(batch)
            while sum(map(len, self._kept)) > KEPT_MAX_ITEMS:
                self._outage.drop(len(self._kept.popleft()))
            self._retry_later()

    def _retry_later(self) -> None:
        """Set a timer, because the function may not be called again for a long time."""
        if self._timer is None:
            self._timer = threading.Timer(self._outage.seconds_left() + 0.01, self._retry)
            self._timer.daemon = True
            self._timer.start()

    def _retry(self) -> None:
        with self._lock:
            self._timer = None
        batch = self._newest_kept()
        if batch is not None and self.deliver(batch):
            self.catch_up()


def _not_accepted() -> bool:
    return False
