"""Opening the file: making it, or refusing it by name."""

import logging
from pathlib import Path
from typing import Any

import duckdb

from observatory.store.promotions import Promotions, promote
from observatory.store.tables import SCHEMA_VERSION, TABLES
from observatory.store.views import create_views

log = logging.getLogger(__name__)

CONFIG: dict[str, Any] = {
    # Of the whole process's 600 MB; the rest is Python's, Arrow's and the requests on their way.
    "memory_limit": "320MB",
    # What each thread takes of that is bounded so too, and the emulators need the other cores.
    "threads": 2,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # Rows are read by their times and ids, never in the order in which they were inserted.
    "preserve_insertion_order": False,
    # Often, so that each takes little time.
    "checkpoint_threshold": "32MB",
    # Row groups of which rows were deleted are made into fewer ones when there is time for it (see
    # ``Store.checkpoint``), not while telemetry pours in.
    "max_vacuum_tasks": 0,
    # Bytes of a commit that DuckDB would rather not write to the log when a checkpoint is due; all
    # other commits would wait for that. With so many they go on beside it.
    "auto_checkpoint_skip_wal_threshold": 10**9,
}
# What SQL calls the file.
DATABASE = "observatory"
# A multiple of 2048. In a group of DuckDB's own size, 122,880, are the digests of a million spans:
# each checkpoint would write all of them again, for the few that were replaced.
ROW_GROUP_ROWS = 15 * 2048


class StoreRefused(Exception):
    """The database can't be used; the message names the file, the reason and a hint."""


def open_file(path: Path, promotions: Promotions) -> duckdb.DuckDBPyConnection:
    """Open the file, made when absent, together with its folder.

    A file in which other attributes are promoted gets the columns of ``promotions`` instead.

    Raises:
        StoreRefused: the file is no database, is another program's or another version's, or is
            in use.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreRefused(f"{path} cannot be made: {error.strerror}.") from error
    connection = duckdb.connect(config={**CONFIG, "temp_directory": f"{path}.tmp"})
    try:
        _attach(connection, path)
        _check_version(connection, path)
        if promote(connection, promotions):
            log.warning("%s: the columns of promoted attributes were filled again", path)
        connection.begin()
        create_views(connection, promotions)
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def cursor_of(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A cursor whose SQL reads the file. One made by ``connection.cursor`` doesn't."""
    cursor = connection.cursor()
    cursor.execute(f"use {DATABASE}")
    return cursor


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    quoted = str(path).replace("'", "''")
    try:
        # Only a file that is attached has row groups of another size.
        connection.execute(
            f"attach '{quoted}' as {DATABASE} (type duckdb, row_group_size {ROW_GROUP_ROWS})"
        )
    except duckdb.Error as error:
        raise StoreRefused(_why(path, error)) from error
    connection.execute(f"use {DATABASE}")
    # A person's SQL may read the tables, and nothing else of the machine.
    connection.execute("set enable_external_access = false")


def _why(path: Path, error: duckdb.Error) -> str:
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
            f"{path} has version {row[0] if row else 'none'} of the Observatory's tables and "
            f"this Observatory reads version {SCHEMA_VERSION}: move it away, or name another file "
            "with --data."
        )
