"""Requests on their way into the store: those that wait together are read as one.

Reading has a price by the request beside that by the span, and so has a commit, and what many
senders send at the same time is much alike. So one thread reads all that came while it was reading;
a second one would only wait for the first, because most of reading holds Python's lock.
"""

import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from observatory.receive.batch import Batch
from observatory.store import Store

Read = Callable[..., Batch]
# So much is read as one, that nobody waits long for the others' sake.
GROUP_LIMIT_BYTES = 2**21
# So many wait for the writer that it has its next group; rows take more memory than what they were
# read from, so that more are left unread.
UNWRITTEN_LIMIT_ROWS = 100_000


class NotStored(Exception):
    """The store could not keep the rows; the message says why."""


class Intake:
    """Reads requests into rows and has them stored.

    Args:
        store: an open store. Close this before it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unwritten_rows = 0
        self._written = threading.Condition()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._take, name="intake", daemon=True)
        self._thread.start()

    def add(self, read: Read, body: bytes) -> Future[Batch]:
        """Queue a request, in protobuf. The future is done once its rows are committed.

        It has what the request came to. It carries the error of ``read`` when that can't
        read the request, and ``NotStored`` when the store could not keep the rows.
        """
        waiting = _Waiting(read, body)
        self._queue.put(waiting)
        return waiting.done

    def close(self) -> None:
        """Read what is queued, then end. May be called twice."""
        self._queue.put(None)
        self._thread.join()

    def _take(self) -> None:
        item = self._queue.get()
        while item is not None:
            groups: defaultdict[Read, list[_Waiting]] = defaultdict(list)
            size = 0
            while item is not None:
                groups[item.read].append(item)
                size += len(item.body)
                if size >= GROUP_LIMIT_BYTES or self._queue.empty():
                    break
                item = self._queue.get()
            for group in groups.values():
                with self._written:
                    self._written.wait_for(lambda: self._unwritten_rows < UNWRITTEN_LIMIT_ROWS)
                self._read(group)
            if item is not None:
                item = self._queue.get()

    def _read(self, group: Sequence["_Waiting"]) -> None:
        try:
            batch = group[0].read(*(waiting.body for waiting in group))
        except Exception as error:  # noqa: BLE001  # whoever waits for it decides
            if len(group) == 1:
                group[0].done.set_exception(error)
                return
            batch = None
        if batch is None or (batch.reason and len(group) > 1):
            # One of them isn't as it should be, and only its own sender is to be told.
            for waiting in group:
                self._read([waiting])
        elif batch.rows.table.num_rows:
            self._count(batch.rows.table.num_rows)
            self._store.add(batch.rows).add_done_callback(
                lambda stored: self._settle(group, batch, stored)
            )
        else:
            _answer(group, batch)

    def _settle(self, group: Sequence["_Waiting"], batch: Batch, stored: Future[None]) -> None:
        self._count(-batch.rows.table.num_rows)
        error = stored.exception()
        if error is None:
            _answer(group, batch)
        elif len(group) == 1:
            group[0].done.set_exception(NotStored(str(error)))
        else:
            for waiting in group:
                self._read([waiting])

    def _count(self, rows: int) -> None:
        with self._written:
            self._unwritten_rows += rows
            self._written.notify_all()


class _Waiting:
    """A request, and the future of whoever waits for it."""

    def __init__(self, read: Read, body: bytes) -> None:
        self.read = read
        self.body = body
        self.done: Future[Batch] = Future()
        self.done.set_running_or_notify_cancel()  # a sender that hangs up doesn't undo it


def _answer(group: Sequence[_Waiting], batch: Batch) -> None:
    for waiting in group:
        waiting.done.set_result(batch)
