"""Several queries that see the same state, whatever is committed meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from observatory.store import cursor_of

# What every commit that a question could notice changes.
STATE = "select watermark, raw_rows, (select count(*) from raw_spans) from digest_state"


@contextmanager
def snapshot(reader: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Within it the cursor sees one state. Temporary tables that it makes end with it."""
    reader.begin()
    try:
        yield
    finally:
        reader.rollback()


@contextmanager
def shared_snapshot(
    reader: duckdb.DuckDBPyConnection,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Within it the cursor and the one that this gives, for another thread, see the same state."""
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
