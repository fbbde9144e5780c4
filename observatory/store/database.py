"""The DuckDB file: one writer that commits in groups, any number of readers.

Readers take a cursor each. DuckDB gives every query a snapshot, so they never wait for the writer.
Beside the file is its journal of requests that are acknowledged and not in the file yet. Moving
them into the file is called folding.
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

from observatory.store.journal import Journal
from observatory.store.opening import DATABASE, cursor_of, journal_id, open_file
from observatory.store.promotions import NO_PROMOTIONS, Promotions
from observatory.store.rows import Rows
from observatory.store.writing import RowWriter

GROUP_LIMIT_ROWS = 50_000
VACUUM_TASKS = 100
ALL_TABLES = ("raw_spans", "attribute_schemas", "raw_logs", "raw_metrics", "resources")
DELETE_UNREFERENCED = (
    "delete from attribute_schemas where schema_id not in (select schema_id from raw_spans)",
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
        path: the file; created if absent, together with its folder.
        promotions: the attributes that have columns of their own.

    Raises:
        StoreRefused: the file is not a database, belongs to another program, has another version
            of the tables, or is in use.
    """

    def __init__(self, path: Path, promotions: Promotions = NO_PROMOTIONS) -> None:
        self.path = path
        self._connection = open_file(path, promotions)
        self._cursor = cursor_of(self._connection)
        self._row_writer = RowWriter(self._cursor, promotions)
        self.journal = Journal(path, journal_id(self._cursor), self._row_writer.folded)
        self._revision = 0
        self._failing = False
        self._queue: queue.SimpleQueue[_Addition | _Task | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def revision(self) -> int:
        """Return the number of commits so far. While it stays equal, so does what readers see."""
        return self._revision

    def add(self, rows: Rows) -> Future[None]:
        """Queue rows to be written and return a future, which is done once they are committed.

        The future raises DuckDB's or Arrow's error if the rows could not be written.
        """
        return self._add(_Addition([rows]))

    def fold(self, rows: Sequence[Rows], begin: int, end: int) -> Future[None]:
        """Queue the rows of the journal's requests from position ``begin`` to ``end``.

        The new position is committed together with the rows. Does nothing if ``begin`` is not
        ``folded`` any more by then: the requests have been stored or cleared. Return a future like
        that of ``add``.
        """
        return self._add(_Addition(rows, (begin, end)))

    @property
    def folded(self) -> int:
        """Return the journal's position up to which its requests are in the file."""
        return self._row_writer.folded

    def _add(self, addition: "_Addition") -> Future[None]:
        self._queue.put(addition)
        return addition.done

    def run(self, work: Work[Result]) -> Future[Result]:
        """Queue ``work`` for the writer's thread, where it runs in a transaction of its own.

        Return a future of its result. If ``work`` raises, the transaction is rolled back and the
        future raises the error.
        """
        task = _Task(work)
        self._queue.put(task)
        return task.done

    def clear(self) -> None:
        """Delete every row and every request in the journal, including those queued before the
        call, and shrink the file."""
        position = self.journal.end

        def clear(cursor: duckdb.DuckDBPyConnection) -> None:
            for table in ALL_TABLES:
                cursor.execute(f"delete from {table}")  # noqa: S608
            self._row_writer.reload()
            self._row_writer.fold_to(position)

        # The file can only be truncated behind its last used block. The promoted attributes stay,
        # so move them from wherever they are to the front, which the first checkpoint has freed.
        def rewrite(cursor: duckdb.DuckDBPyConnection) -> None:
            cursor.execute("create temp table kept_promotions as from promoted_attributes")
            cursor.execute("delete from promoted_attributes")
            cursor.execute("insert into promoted_attributes from kept_promotions")
            cursor.execute("drop table kept_promotions")

        self.run(clear).result()
        self.journal.trim(position, last=True)
        self.checkpoint()
        self.run(rewrite).result()
        self.checkpoint()

    def delete_unreferenced(self) -> None:
        """Delete the attribute schemas and resources that no row refers to."""

        def delete(cursor: duckdb.DuckDBPyConnection) -> None:
            for query in DELETE_UNREFERENCED:
                cursor.execute(query)
            self._row_writer.reload()

        self.run(delete).result()

    def checkpoint(self) -> None:
        """Merge the write-ahead log into the file, reclaim the space of deleted rows and truncate
        the file.

        Does nothing if another transaction is active.
        """
        task = _Task(_checkpoint, alone=True)
        self._queue.put(task)
        task.done.result()

    def used_bytes(self) -> int:
        """Return how many bytes of the file are in use, including the write-ahead log and the
        journal."""
        with self.reader() as reader:
            row = reader.execute(
                "select used_blocks * block_size from pragma_database_size() "
                "where database_name = ?",
                [DATABASE],
            ).fetchone()
        return int((row and row[0]) or 0) + self._size_of(".wal") + self.journal.size_bytes

    def file_bytes(self) -> int:
        """Return the size of the file on disk in bytes, including the write-ahead log and the
        journal."""
        return self._size_of("") + self._size_of(".wal") + self.journal.size_bytes

    def _size_of(self, suffix: str) -> int:
        try:
            return Path(f"{self.path}{suffix}").stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a cursor for the queries of one thread."""
        cursor = cursor_of(self._connection)
        try:
            yield cursor
        finally:
            cursor.close()

    def close(self) -> None:
        """Write the queued rows, then close the file. May be called twice."""
        self._queue.put(None)
        self._thread.join()
        self.journal.close()
        self._cursor.close()
        self._connection.close()

    def _run(self) -> None:
        open_ = True
        while open_:
            group: list[_Addition] = []
            rows = 0
            item = self._queue.get()
            while isinstance(item, _Addition):
                group.append(item)
                rows += sum(each.table.num_rows for each in item.rows)
                if rows >= GROUP_LIMIT_ROWS or self._queue.empty():
                    break
                item = self._queue.get()
            open_ = item is not None
            if group:
                self._commit(group)
            if isinstance(item, _Task):
                item.complete(self._alone if item.alone else self._in_transaction)

    def _commit(self, group: Sequence["_Addition"]) -> None:
        position = self.folded
        rows: list[Rows] = []
        for addition in group:
            begin, end = addition.journaled or (position, position)
            if begin == position:
                rows += addition.rows
                position = end
        try:
            with self._rolled_back_on_error():
                self._row_writer.commit(rows, None if position == self.folded else position)
        except (duckdb.Error, pa.ArrowException) as error:
            if len(group) > 1:  # find the bad batch, so that only that one fails
                for addition in group:
                    self._commit([addition])
                return
            if not self._failing:
                log.error("batches cannot be written to %s: %s", self.path, error)
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
            self._row_writer.reload()  # its caches may hold rows that were rolled back
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
            # A failed commit, for example on a full disk, has already ended the transaction.
            with contextlib.suppress(duckdb.TransactionException):
                self._cursor.rollback()
            raise


def _checkpoint(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(f"set max_vacuum_tasks = {VACUUM_TASKS}")
    try:
        # DuckDB reclaims no space in a checkpoint that has nothing to write, so write something.
        cursor.execute(f"comment on table observatory_schema is 'Tidied at {time.time_ns()}.'")
        # A transaction is active: leave it to the next checkpoint.
        with contextlib.suppress(duckdb.TransactionException):
            cursor.execute(f"checkpoint {DATABASE}")
    finally:
        cursor.execute("set max_vacuum_tasks = 0")


class _Addition:
    """Rows to be written, and a future that is done once they are committed.

    ``journaled`` holds the journal's positions before and after the requests that they are from.
    """

    def __init__(self, rows: Sequence[Rows], journaled: tuple[int, int] | None = None) -> None:
        self.rows = rows
        self.journaled = journaled
        self.done: Future[None] = Future()
        self.done.set_running_or_notify_cancel()  # a disconnected sender must not cancel the write


class _Task:
    """Work for the writer's thread, and the future of its result."""

    def __init__(self, work: Work[Any], *, alone: bool = False) -> None:
        self._work = work
        self.alone = alone  # whether it must run outside a transaction
        self.done: Future[Any] = Future()
        self.done.set_running_or_notify_cancel()

    def complete(self, do: Callable[[Work[Any]], Any]) -> None:
        """Run the work by calling ``do`` with it, and resolve the future."""
        try:
            self.done.set_result(do(self._work))
        except Exception as error:  # noqa: BLE001  # the future carries it to the caller
            self.done.set_exception(error)
