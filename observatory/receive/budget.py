"""How much telemetry may be on its way to the disk at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

Result = TypeVar("Result")
RETRY_AFTER_SECONDS = 1
# Senders wait ten seconds for an answer, if nobody told them otherwise, and then send all again.
PATIENCE_SECONDS = 5.0


class Overloaded(Exception):
    """There is no room for more until the store has caught up."""


class Budget:
    """Bytes that requests may hold between them, from the first one read to the commit.

    Together with the limit on one body it bounds the memory of a server that is sent more than
    it can write. What takes many times a body's size while it lasts, such as JSON that is made
    into objects, no share could tell beforehand: it is done for one request at a time.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._held_bytes = 0
        self._lock = Lock()
        self._one = ThreadPoolExecutor(1, "unpack")

    async def one_at_a_time(self, work: Callable[[], Result]) -> Result:
        """Do ``work`` in a thread, when all such work that was asked for before is done.

        Two would not be done sooner: most of it holds Python's lock.

        Raises:
            Overloaded: its turn did not come in time; it was not begun.
        """
        asked = self._one.submit(work)
        done = asyncio.wrap_future(asked)
        await asyncio.wait([done], timeout=PATIENCE_SECONDS)
        if not done.done() and asked.cancel():
            raise Overloaded
        return await done

    def close(self) -> None:
        """End the thread. May be called twice."""
        self._one.shutdown()

    @property
    def held_bytes(self) -> int:
        """Bytes held by all requests now."""
        return self._held_bytes

    def share(self) -> "Share":
        """The share of one request: a context manager that gives back all it took."""
        return Share(self)

    def _move(self, bytes_: int) -> None:
        with self._lock:
            if bytes_ > 0 and self._held_bytes + bytes_ > self.limit_bytes:
                raise Overloaded
            self._held_bytes += bytes_


class Share:
    """What one request holds of a ``Budget``."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._held_bytes = 0

    def take(self, bytes_: int) -> None:
        """Hold ``bytes_`` more.

        Raises:
            Overloaded: they don't fit; nothing was taken.
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
