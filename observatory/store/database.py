"""The DuckDB file: one writer that commits in groups, any number of readers.

Readers take a cursor each. DuckDB gives every query a snapshot, so they never wait for the writer.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from observatory.store.opening import DATABASE, cursor_of, open_file
from observatory.store.promotions import NO_PROMOTIONS, Promotions
from observatory.store.rows import Rows
from observatory.store.writing import Writing

GROUP_LIMIT_ROWS = 50_000
VACUUM_TASKS = 100
EVERYTHING = ("raw_spans", "span_shapes", "raw_logs", "raw_metrics", "resources")
UNUSED = (
    "delete from span_shapes where shape_id not in (select shape_id from raw_spans)",
    """
    delete from resources where resource_id not in (
        select resource_id from raw_spans union select resource_id from raw_logs
        union select resource_id from raw_metrics)
    """,
)

log = logging.getLogger(__name__)
Result = TypeVar("Result")
Work = Callable[[duckdb.DuckDBPyConnection], Result]


class Store:
    """Spans, logs and metrics in one DuckDB file.

    Args:
        path: the file, made when absent, together with its folder.
        promotions: the attributes that have columns of their own.

    Raises:
        StoreRefused: the file is no database, is another program's or another version's, or is
            in use.
    """

    def __init__(self, path: Path, promotions: Promotions = NO_PROMOTIONS) -> None:
        self.path = path
        self._connection = open_file(path, promotions)
        self._cursor = cursor_of(self._connection)
        self._writing = Writing(self._cursor, promotions)
        self._revision = 0
        self._failing = False
        self._queue: queue.SimpleQueue[_Addition | _Errand | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()

    @property
    def revision(self) -> int:
        """Counts the commits since the start: as long as it stays, so does what readers see."""
        return self._revision

    def add(self, rows: Rows) -> Future[None]:
        """Queue rows to be written. The future is done once they are committed to the file, and
        carries DuckDB's error when they could not be."""
        addition = _Addition(rows)
        self._queue.put(addition)
        return addition.done

    def run(self, work: Work[Result]) -> Future[Result]:
        """Do ``work`` in the writer's thread, between commits, in a transaction of its own.

        The future has what it returns, or the error that undid it.
        """
        errand = _Errand(work)
        self._queue.put(errand)
        return errand.done

    def clear(self) -> None:
        """Delete every row, and give the file's space back. What is queued before goes too."""

        def clear(cursor: duckdb.DuckDBPyConnection) -> None:
            for table in EVERYTHING:
                cursor.execute(f"delete from {table}")  # noqa: S608
            self._writing.learn()

        self.run(clear).result()
        self.checkpoint()

    def forget_unused(self) -> None:
        """Delete the shapes and resources that no row names any more."""

        def forget(cursor: duckdb.DuckDBPyConnection) -> None:
            for query in UNUSED:
                cursor.execute(query)
            self._writing.learn()

        self.run(forget).result()

    def checkpoint(self) -> None:
        """Move what was written to its place in the file, close the gaps that deleted rows left,
        and cut off what is free at its end. Does nothing while somebody reads or writes."""
        errand = _Errand(_checkpoint, alone=True)
        self._queue.put(errand)
        errand.done.result()

    def used_bytes(self) -> int:
        """How much of the file is in use, what waits beside it to be moved there included."""
        with self.reader() as reader:
            row = reader.execute(
                "select used_blocks * block_size from pragma_database_size() "
                "where database_name = ?",
                [DATABASE],
            ).fetchone()
        return int((row and row[0]) or 0) + self._size_of(".wal")

    def file_bytes(self) -> int:
        """How much room the file takes on the disk, with what waits beside it."""
        return self._size_of("") + self._size_of(".wal")

    def _size_of(self, suffix: str) -> int:
        try:
            return Path(f"{self.path}{suffix}").stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for one thread's queries."""
        cursor = cursor_of(self._connection)
        try:
            yield cursor
        finally:
            cursor.close()

    def close(self) -> None:
        """Write what is queued, then close the file. May be called twice."""
        self._queue.put(None)
        self._writer.join()
        self._cursor.close()
        self._connection.close()

    def _write(self) -> None:
        open_ = True
        while open_:
            group: list[_Addition] = []
            rows = 0
            item = self._queue.get()
            while isinstance(item, _Addition):
                group.append(item)
                rows += item.rows.table.num_rows
                if rows >= GROUP_LIMIT_ROWS or self._queue.empty():
                    break
                item = self._queue.get()
            open_ = item is not None
            if group:
                self._commit(group)
            if isinstance(item, _Errand):
                item.settle(self._alone if item.alone else self._in_transaction)

    def _commit(self, group: Sequence["_Addition"]) -> None:
        try:
            with self._rolled_back_on_error():
                self._writing.commit([addition.rows for addition in group])
        except (duckdb.Error, pa.ArrowException) as error:
            if len(group) > 1:  # one bad batch must not take its neighbours with it
                for addition in group:
                    self._commit([addition])
                return
            if not self._failing:
                log.error("batches can't be written to %s: %s", self.path, error)
            self._failing = True
            group[0].done.set_exception(error)
            return
        if self._failing:
            log.warning("batches can be written to %s again", self.path)
        self._failing = False
        self._revision += 1
        for addition in group:
            addition.done.set_result(None)

    def _in_transaction(self, work: Work[Result]) -> Result:
        try:
            with self._rolled_back_on_error():
                self._cursor.begin()
                result = work(self._cursor)
                self._cursor.commit()
        except BaseException:
            self._writing.learn()  # what it took from the file may have been undone
            raise
        self._revision += 1
        return result

    def _alone(self, work: Work[Result]) -> Result:
        return work(self._cursor)

    @contextmanager
    def _rolled_back_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            # A commit that failed, on a full disk say, has ended the transaction itself.
            with contextlib.suppress(duckdb.TransactionException):
                self._cursor.rollback()
            raise


def _checkpoint(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(f"set max_vacuum_tasks = {VACUUM_TASKS}")
    try:
        # A checkpoint that has nothing to move closes no gap.
        cursor.execute(f"comment on table observatory_schema is 'Tidied at {time.time_ns()}.'")
        # Somebody reads: then the next one does it.
        with contextlib.suppress(duckdb.TransactionException):
            cursor.execute(f"checkpoint {DATABASE}")
    finally:
        cursor.execute("set max_vacuum_tasks = 0")


class _Addition:
    """Rows to be written, and the future of whoever waits for that."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.done: Future[None] = Future()
        self.done.set_running_or_notify_cancel()  # a sender that hangs up doesn't undo the write


class _Errand:
    """Work for the writer's thread, and the future of its result."""

    def __init__(self, work: Work[Any], *, alone: bool = False) -> None:
        self._work = work
        self.alone = alone  # it can't be part of a transaction
        self.done: Future[Any] = Future()
        self.done.set_running_or_notify_cancel()

    def settle(self, do: Callable[[Work[Any]], Any]) -> None:
        """Have it done, and tell the future how it went."""
        try:
            self.done.set_result(do(self._work))
        except Exception as error:  # noqa: BLE001  # whoever waits for it decides
            self.done.set_exception(error)
