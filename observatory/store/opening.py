"""Open or create the DuckDB file, or refuse it with the reason."""

import logging
import secrets
from pathlib import Path
from typing import Any

import duckdb

from observatory.store.promotions import Promotions, promote
from observatory.store.tables import JOURNAL_STATE, MAX_VALUE, SCHEMA_VERSION, TABLES
from observatory.store.views import create_views

log = logging.getLogger(__name__)

CONFIG: dict[str, Any] = {
    # Of the 600 MB for the whole process; the rest is for Python, Arrow and requests in flight.
    "memory_limit": "320MB",
    # Each thread takes some of that memory, and the emulators need the other cores.
    "threads": 2,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # Queries order and select rows by time and id, never by insertion order.
    "preserve_insertion_order": False,
    # Small, so that checkpoints are frequent and short.
    "checkpoint_threshold": "32MB",
    # Row groups with deleted rows are merged in ``Store.checkpoint`` only, not while telemetry
    # arrives.
    "max_vacuum_tasks": 0,
    # If a commit exceeds this when a checkpoint is due, DuckDB skips the write-ahead log, which
    # makes all other commits wait for the checkpoint. Large enough that this never happens.
    "auto_checkpoint_skip_wal_threshold": 10**9,
}
# The name of the attached file in SQL.
DATABASE = "observatory"
# A multiple of DuckDB's vector size, 2048. At the default of 122,880 one group would hold the
# digests of a million spans, and every checkpoint would rewrite all of them for the few replaced.
ROW_GROUP_ROWS = 15 * 2048


class StoreRefused(Exception):
    """The database cannot be used; the message names the file, the reason and a hint."""


def open_file(path: Path, promotions: Promotions) -> duckdb.DuckDBPyConnection:
    """Open the file, or create it together with its folder.

    If the file has columns for other promoted attributes, they are replaced by those of
    ``promotions``.

    Raises:
        StoreRefused: the file is not a database, belongs to another program, has another version
            of the tables, or is in use.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreRefused(f"{path} cannot be created: {error.strerror}.") from error
    connection = duckdb.connect(config={**CONFIG, "temp_directory": f"{path}.tmp"})
    try:
        _attach(connection, path)
        _check_version(connection, path)
        if promote(connection, promotions):
            log.warning("%s: the promoted attributes changed; their columns were rebuilt", path)
        connection.begin()
        create_views(connection, promotions)
        _create_journal_state(connection)
        connection.execute(MAX_VALUE)
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def cursor_of(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a cursor that uses the attached file; one of ``connection.cursor`` does not."""
    cursor = connection.cursor()
    cursor.execute(f"use {DATABASE}")
    return cursor


def journal_id(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the id of the file's journal."""
    (number,) = connection.execute("select journal_id from journal_state").fetchone() or (0,)
    return f"{number:08x}"


def _create_journal_state(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(JOURNAL_STATE)
    if connection.execute("from journal_state").fetchone() is None:
        connection.execute("insert into journal_state values (?, 0)", [secrets.randbits(32)])


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    quoted = str(path).replace("'", "''")
    try:
        # The row group size can be set only for an attached file.
        connection.execute(
            f"attach '{quoted}' as {DATABASE} (type duckdb, row_group_size {ROW_GROUP_ROWS})"
        )
    except duckdb.Error as error:
        raise StoreRefused(_open_error(path, error)) from error
    connection.execute(f"use {DATABASE}")
    # Users' SQL may read the tables, but no files and no network.
    connection.execute("set enable_external_access = false")


def _open_error(path: Path, error: duckdb.Error) -> str:
    message = str(error).splitlines()[0]
    if "lock" in message:
        return (
            f"{path} is in use by another process: stop that Observatory, "
            "or name another file with --data."
        )
    if "not a valid DuckDB database" in message:
        return f"{path} is not a DuckDB database: move it away, or name another file with --data."
    return f"{path} cannot be opened: {message}"


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
    row = connection.execute("select version from observatory_schema").fetchone()
    if row != (SCHEMA_VERSION,):
        raise StoreRefused(
            f"{path} has version {row[0] if row else 'none'} of the Observatory's tables, but "
            f"this Observatory needs version {SCHEMA_VERSION}: move the file away, or name another "
            "file with --data."
        )
