"""Acknowledge small requests from the journal, and fold them into the store in groups.

Most of the cost of storing a request does not depend on its size, and a sender that exports before
it responds waits for it. So a small request is only checked and written to the journal before it is
acknowledged. Everything else is acknowledged after its commit: large requests, for which the
journal would be a second copy; requests of which something has to be reported; and every request
while the journal is full or fails.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import wait

import duckdb

from observatory.receive.batch import Batch
from observatory.receive.logs import logs_of
from observatory.receive.spans import spans_of
from observatory.receive.validity import all_logs_valid, all_spans_valid
from observatory.store import Store
from observatory.store.journal import Record
from observatory.store.rows import Kind, Rows

Read = Callable[..., Batch]
# A larger request takes several milliseconds to send, so its sender does not wait for it.
REQUEST_LIMIT_BYTES = 2**16
GROUP_LIMIT_BYTES = 2**21
# How long requests are gathered before they are folded; a query folds them at once.
GATHER_SECONDS = 0.1
# After a failure, such as a full disk, how long to wait before trying again.
RETRY_SECONDS = 1.0
# While requests cannot be folded, how often the journal is synced; what a loss of power may cost.
SYNC_SECONDS = 1.0
# How long a query waits for requests that were acknowledged before it.
PATIENCE_SECONDS = 1.0
# Once nothing has been received for this long, the stored requests are deleted from the journal.
IDLE_SECONDS = 1.0

# Metrics are not here: their exporters send in the background, and checking them takes as long as
# converting them.
CHECKS: dict[Read, tuple[Kind, Callable[[bytes], bool]]] = {
    spans_of: ("spans", all_spans_valid),
    logs_of: ("logs", all_logs_valid),
}
READERS: dict[Kind, Read] = {kind: read for read, (kind, _) in CHECKS.items()}
# The store cannot be written to now, as opposed to a request that can never be stored.
_UNAVAILABLE = (duckdb.OperationalError, duckdb.InternalError, OSError, MemoryError)

log = logging.getLogger(__name__)


class Folding:
    """Writes requests to a store's journal, and moves them into the store in the background.

    Args:
        store: an open store; close the folding before it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._journal = store.journal
        self._failing = False
        self._unwritable = False
        self._unsyncable = False
        self._synced_at = time.monotonic()
        self._progress = threading.Condition()
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folding", daemon=True)
        self._thread.start()

    def acknowledges(self, read: Read, body: bytes) -> bool:
        """Write a request to the journal if it qualifies; return whether it is there.

        Args:
            read: converts requests of this type to rows.
            body: the serialized protobuf request.
        """
        if self._failing or len(body) > REQUEST_LIMIT_BYTES or read not in CHECKS:
            return False
        kind, all_valid = CHECKS[read]
        if not all_valid(body):
            return False
        try:
            written = self._journal.append(kind, body)
        except OSError as error:
            if not self._unwritable:
                log.error("requests cannot be written to %s: %s", self._journal.name, error)
            self._unwritable = True
            return False
        if self._unwritable:
            log.warning("requests can be written to %s again", self._journal.name)
        self._unwritable = False
        return written

    @property
    def pending_bytes(self) -> int:
        """Return the size of the requests that are acknowledged and not in the file yet."""
        return self._journal.end - self._store.folded

    def catch_up(self) -> None:
        """Wait until all requests acknowledged so far are in the file.

        Gives up if they cannot be written, or after ``PATIENCE_SECONDS``.
        """
        target = self._journal.end

        def is_done() -> bool:
            return self._failing or self._store.folded >= target

        if not is_done():
            self._wanted.set()
            with self._progress:
                self._progress.wait_for(is_done, PATIENCE_SECONDS)

    def close(self) -> None:
        """Fold the remaining requests if possible, then stop. May be called twice."""
        self._closing.set()
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        closing = False
        changed_at, end = time.monotonic(), -1
        while not closing:
            self._wanted.wait(RETRY_SECONDS if self._failing else GATHER_SECONDS)
            self._wanted.clear()
            closing = self._closing.is_set()
            if end != self._journal.end:
                changed_at, end = time.monotonic(), self._journal.end
            try:
                self._fold_all()
                if closing or time.monotonic() - changed_at >= IDLE_SECONDS:
                    self._journal.trim(self._store.folded, last=True)
                self._failing = False
            except Exception as error:  # noqa: BLE001  # the requests stay in the journal
                if not self._failing:
                    log.error("requests stay in %s for now: %s", self._journal.name, error)
                self._failing = True
                self._sync()
                self._notify()

    def _fold_all(self) -> None:
        while (begin := self._store.folded) < self._journal.end:
            records, end = self._journal.read(begin, GROUP_LIMIT_BYTES)
            self._fold(records, begin, end)
            self._notify()
            self._journal.trim(end)
            if end < self._journal.end:
                self._sync()

    def _notify(self) -> None:
        with self._progress:
            self._progress.notify_all()

    def _fold(self, records: Sequence[Record], begin: int, end: int) -> None:
        """Store the records from position ``begin`` to ``end``.

        If that fails, store them one by one, so that a bad one does not affect the others.
        """
        try:
            self._commit(_rows_of(records), begin, end)
        except Exception as error:
            if len(records) > 1:
                for record in records:
                    self._fold([record], record.begin, record.end)
            elif isinstance(error, _UNAVAILABLE):
                raise
            else:
                self._commit([], begin, end)
                log.error("an acknowledged request cannot be stored, and was dropped: %s", error)

    def _commit(self, rows: Sequence[Rows], begin: int, end: int) -> None:
        stored = self._store.fold(rows, begin, end)
        while not wait([stored], SYNC_SECONDS).done:
            self._sync()
        stored.result()

    def _sync(self) -> None:
        if time.monotonic() - self._synced_at >= SYNC_SECONDS:
            self._synced_at = time.monotonic()
            try:
                self._journal.sync()
                self._unsyncable = False
            except OSError as error:
                if not self._unsyncable:
                    log.error("%s cannot be synced: %s", self._journal.name, error)
                self._unsyncable = True


def _rows_of(records: Sequence[Record]) -> list[Rows]:
    bodies: defaultdict[Kind, list[bytes]] = defaultdict(list)
    for record in records:
        bodies[record.kind].append(record.body)
    return [READERS[kind](*bodies[kind]).rows for kind in bodies]
