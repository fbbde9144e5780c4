"""Decode queued requests in batches and pass their rows to the store.

These are the requests that cannot be acknowledged from the journal; see ``folding``.
Decoding and committing both have a fixed cost per request besides the cost per span. So one thread
decodes everything that was queued during the previous batch as a single batch. A second thread
would not help, because most of decoding holds the GIL.
"""

import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from observatory.receive.batch import Batch
from observatory.receive.folding import Folding
from observatory.store import Store
from observatory.store.rows import SPANS, Rows

Read = Callable[..., Batch]
# Batch size: small enough that one request does not wait long for the others in its batch.
GROUP_LIMIT_BYTES = 2**21
# Backpressure limit: enough decoded rows to keep the writer busy. Decoded rows take more memory
# than request bodies, so further requests stay undecoded.
UNWRITTEN_LIMIT_ROWS = 100_000


# The result of a request that is in the journal: its rows are still to be made.
JOURNALED = Batch(Rows("spans", SPANS.empty_table()), 0, "")


class NotStored(Exception):
    """The store failed to write the rows; the message gives its error."""


class Intake:
    """Decodes requests and passes the rows to the store.

    Args:
        store: an open store; close the intake before it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.folding = Folding(store)
        self._unwritten_rows = 0
        self._written = threading.Condition()
        self._queue: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._thread.start()

    def add(self, read: Read, body: bytes) -> Future[Batch]:
        """Journal or queue a request, and return a future that is done once it is safe.

        It is done once the request is in the journal or its rows are committed. The result says
        what was rejected. The future raises the error of ``read`` if the request cannot be decoded,
        and ``NotStored`` if the store failed to write the rows.

        Args:
            read: decodes serialized requests of this type.
            body: the serialized protobuf request.
        """
        request = _Request(read, body)
        if self.folding.acknowledges(read, body):
            request.done.set_result(JOURNALED)
        else:
            self._queue.put(request)
        return request.done

    def close(self) -> None:
        """Process the queued requests, then stop. May be called twice."""
        self._queue.put(None)
        self._thread.join()
        self.folding.close()

    def _run(self) -> None:
        item = self._queue.get()
        while item is not None:
            groups: defaultdict[Read, list[_Request]] = defaultdict(list)
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

    def _read(self, group: Sequence["_Request"]) -> None:
        try:
            batch = group[0].read(*(request.body for request in group))
        except Exception as error:  # noqa: BLE001  # the future carries it to the caller
            if len(group) == 1:
                group[0].done.set_exception(error)
                return
            batch = None
        if batch is None or (batch.reason and len(group) > 1):
            # Read them one by one, so that only the sender of a bad request gets the error.
            for request in group:
                self._read([request])
        elif batch.rows.table.num_rows:
            self._count(batch.rows.table.num_rows)
            self._store.add(batch.rows).add_done_callback(
                lambda stored: self._on_stored(group, batch, stored)
            )
        else:
            _resolve(group, batch)

    def _on_stored(self, group: Sequence["_Request"], batch: Batch, stored: Future[None]) -> None:
        self._count(-batch.rows.table.num_rows)
        error = stored.exception()
        if error is None:
            _resolve(group, batch)
        elif len(group) == 1:
            group[0].done.set_exception(NotStored(str(error)))
        else:
            for request in group:
                self._read([request])

    def _count(self, rows: int) -> None:
        with self._written:
            self._unwritten_rows += rows
            self._written.notify_all()


class _Request:
    """A queued request, and the future of its batch."""

    def __init__(self, read: Read, body: bytes) -> None:
        self.read = read
        self.body = body
        self.done: Future[Batch] = Future()
        self.done.set_running_or_notify_cancel()  # a disconnected sender must not cancel it


def _resolve(group: Sequence[_Request], batch: Batch) -> None:
    for request in group:
        request.done.set_result(batch)
