"""The DuckDB file: one writer that commits in groups, any number of readers.

Readers take a cursor each. DuckDB gives every query a snapshot, so they never wait for the writer.
"""

import contextlib
import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa

Kind = Literal["spans", "logs"]

SCHEMA_VERSION = 1
GROUP_LIMIT_ROWS = 50_000
MEMORY_LIMIT = "512MB"

log = logging.getLogger(__name__)

TABLES = """
create table observatory_schema (version integer not null);

create table raw_spans (
    trace_id varchar not null, span_id varchar not null, parent_span_id varchar,
    name varchar not null, kind varchar not null,
    start_unix_nano bigint not null, end_unix_nano bigint not null,
    status_code varchar not null, status_message varchar not null, trace_state varchar not null,
    events varchar not null, links varchar not null,
    root varchar, hop varchar, order_id varchar, order_state varchar,
    service_name varchar not null, scope_name varchar not null,
    resource varchar not null, attributes varchar not null, received_unix_nano bigint not null
);
create table raw_logs (
    trace_id varchar, span_id varchar, time_unix_nano bigint not null,
    severity_number integer not null, severity_text varchar not null, event_name varchar not null,
    body varchar not null, service_name varchar not null, scope_name varchar not null,
    resource varchar not null, attributes varchar not null, received_unix_nano bigint not null
);

-- A sender that saw no answer sends again (OTLP delivers at least once): the first copy counts.
create view spans as
    select * from raw_spans
    qualify row_number() over (
        partition by trace_id, span_id order by received_unix_nano, rowid) = 1;
create view logs as select * from raw_logs;
"""


class StoreRefused(Exception):
    """The database can't be used; the message names the file, the reason and the mend."""


class Store:
    """Spans and logs in one DuckDB file.

    Args:
        path: the file, made when absent, together with its folder.

    Raises:
        StoreRefused: the file is no database, is another program's or another version's, or is
            in use.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = _open(path)
        self._revision = 0
        self._failing = False
        self._queue: queue.SimpleQueue[tuple[Kind, pa.Table, Future[None]] | None] = (
            queue.SimpleQueue()
        )
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()

    @property
    def revision(self) -> int:
        """Counts the commits since the start: as long as it stays, so does what readers see."""
        return self._revision

    def add(self, kind: Kind, rows: pa.Table) -> Future[None]:
        """Queue rows to be written. The future is done once they are committed to the file, and
        carries DuckDB's error when they could not be."""
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # a sender that hangs up doesn't undo the write
        self._queue.put((kind, rows, done))
        return done

    @contextmanager
    def reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for one thread's queries over the views ``spans`` and ``logs``."""
        cursor = self._connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def close(self) -> None:
        """Write what is queued, then close the file. May be called twice."""
        self._queue.put(None)
        self._writer.join()
        self._connection.close()

    def _write(self) -> None:
        cursor = self._connection.cursor()
        open_ = True
        while open_:
            group = []
            item = self._queue.get()
            rows = 0
            while item is not None:
                group.append(item)
                rows += item[1].num_rows
                if rows >= GROUP_LIMIT_ROWS or self._queue.empty():
                    break
                item = self._queue.get()
            open_ = item is not None
            if group:
                self._commit(cursor, group)
        cursor.close()

    def _commit(
        self,
        cursor: duckdb.DuckDBPyConnection,
        group: Sequence[tuple[Kind, pa.Table, Future[None]]],
    ) -> None:
        try:
            cursor.begin()
            try:
                for kind in ("spans", "logs"):
                    tables = [table for of, table, _ in group if of == kind]
                    if tables:
                        _insert(cursor, f"raw_{kind}", pa.concat_tables(tables))
                cursor.commit()
            except BaseException:
                # A commit that failed, on a full disk say, has ended the transaction itself.
                with contextlib.suppress(duckdb.TransactionException):
                    cursor.rollback()
                raise
        except (duckdb.Error, pa.ArrowException) as error:
            if len(group) > 1:  # one bad batch must not take its neighbours with it
                for item in group:
                    self._commit(cursor, [item])
                return
            if not self._failing:
                log.error("batches can't be written to %s: %s", self.path, error)
            self._failing = True
            group[0][2].set_exception(error)
            return
        if self._failing:
            log.warning("batches can be written to %s again", self.path)
        self._failing = False
        self._revision += 1
        for _, _, done in group:
            done.set_result(None)


def _insert(cursor: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    cursor.register("incoming", rows)
    try:
        cursor.execute(f"insert into {table} by name select * from incoming")  # noqa: S608
    finally:
        cursor.unregister("incoming")


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {
        "memory_limit": MEMORY_LIMIT,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(path, config=config)
    except OSError as error:
        raise StoreRefused(f"{path} cannot be made: {error.strerror}.") from error
    except duckdb.Error as error:
        raise StoreRefused(_why(path, error)) from error
    try:
        _check_version(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _why(path: Path, error: duckdb.Error) -> str:
    said = str(error).splitlines()[0]
    if "lock" in said:
        return (
            f"{path} is in use by another process: stop that Observatory, "
            "or name another file with --data."
        )
    if "not a valid DuckDB database" in said:
        return f"{path} is not a DuckDB database: move it away, or name another file with --data."
    return f"{path} cannot be opened: {said}"


def _check_version(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    tables = {
        name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()
    }
    if not tables:
        connection.begin()
        connection.execute(TABLES)
        connection.execute("insert into observatory_schema values (?)", [SCHEMA_VERSION])
        connection.commit()
        return
    if "observatory_schema" not in tables:
        raise StoreRefused(
            f"{path} is a DuckDB database of another program: name another file with --data."
        )
    found = connection.execute("select version from observatory_schema").fetchone()
    if found != (SCHEMA_VERSION,):
        raise StoreRefused(
            f"{path} has version {found[0] if found else 'none'} of the Observatory's tables and "
            f"this Observatory reads version {SCHEMA_VERSION}: move it away, or name another file "
            "with --data."
        )
