"""Snapshots: several queries that see the same state, in spite of concurrent commits."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from observatory.store import cursor_of

# Changes with every commit that a query could see.
STATE = "select watermark, raw_rows, (select count(*) from raw_spans) from digest_state"


@contextmanager
def snapshot(reader: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let the cursor see one state. Its temporary tables are dropped at the end."""
    reader.begin()
    try:
        yield
    finally:
        reader.rollback()


@contextmanager
def shared_snapshot(
    reader: duckdb.DuckDBPyConnection,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Let two cursors see the same state: ``reader``, and the yielded one for another thread."""
    with snapshot(reader):
        state = reader.execute(STATE).fetchall()
        other = cursor_of(reader)
        try:
            other.begin()
            while other.execute(STATE).fetchall() != state:
                # Something was committed between the two.
                for cursor in (reader, other):
                    cursor.rollback()
                    cursor.begin()
                state = reader.execute(STATE).fetchall()
            yield other
        finally:
            other.close()
