"""A memory budget for telemetry that is received but not yet stored."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

Result = TypeVar("Result")
RETRY_AFTER_SECONDS = 1
# Exporters time out after ten seconds by default and then resend; refuse well before that.
WAIT_LIMIT_SECONDS = 5.0


class Overloaded(Exception):
    """The memory budget is used up; retry once the store has caught up."""


class Budget:
    """The bytes that all requests together may hold, from reading the body to the commit.

    With the limit on a single body, it bounds the server's memory when telemetry arrives faster
    than it can be written. Some work, such as parsing JSON into objects, takes many times the
    body's size, which is not known beforehand: it runs for one request at a time instead.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._held_bytes = 0
        self._lock = Lock()
        self._single_worker = ThreadPoolExecutor(1, "unpack")

    async def one_at_a_time(self, work: Callable[[], Result]) -> Result:
        """Run ``work`` in a thread, after all work queued before it.

        A second thread would not help: most of the work holds the GIL.

        Raises:
            Overloaded: ``work`` waited too long in the queue and was not started.
        """
        queued = self._single_worker.submit(work)
        result = asyncio.wrap_future(queued)
        await asyncio.wait([result], timeout=WAIT_LIMIT_SECONDS)
        if not result.done() and queued.cancel():
            raise Overloaded
        return await result

    def close(self) -> None:
        """Stop the worker thread. May be called twice."""
        self._single_worker.shutdown()

    @property
    def held_bytes(self) -> int:
        """Return the bytes that all requests hold now."""
        return self._held_bytes

    def share(self) -> "Share":
        """Return one request's share: a context manager that releases all it took on exit."""
        return Share(self)

    def _move(self, bytes_: int) -> None:
        with self._lock:
            if bytes_ > 0 and self._held_bytes + bytes_ > self.limit_bytes:
                raise Overloaded
            self._held_bytes += bytes_


class Share:
    """The bytes of a ``Budget`` that one request holds."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._held_bytes = 0

    def take(self, bytes_: int) -> None:
        """Take another ``bytes_`` of the budget.

        Raises:
            Overloaded: they exceed the budget; nothing was taken.
        """
        self._budget._move(bytes_)
        self._held_bytes += bytes_

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._budget._move(-self._held_bytes)
        self._held_bytes = 0
