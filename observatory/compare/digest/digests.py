"""Keep the digests up to date: in the background after commits, and before queries."""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from observatory.compare.digest import facts, spans
from observatory.compare.digest.tables import BY_TRACE, GRACE_SECONDS, NAMES, prepare
from observatory.store import Store
from observatory.store.promotions import Promotions, hints, promotions_of

log = logging.getLogger(__name__)

# The number of raw rows that are digested at once; it bounds the memory used.
CHUNK_ROWS = 50_000
# Commits are digested together after this interval, or earlier by a query.
GATHER_SECONDS = 0.2
# With this many spans stored, a promoted attribute that none of them has is probably a mistake.
PROMOTIONS_CHECK_SPANS = 1_000
# After a start, queries wait this long for the digests of the spans that are already stored. Then
# they see the digests so far.
PATIENCE_SECONDS = 1.0


class Digests:
    """The digests of a store's traces.

    Args:
        store: an open store. Close the digests before the store.
        grace_seconds: how long an absent parent is awaited after a trace's last span arrived.
    """

    def __init__(self, store: Store, grace_seconds: float = GRACE_SECONDS) -> None:
        self._store = store
        self.grace_seconds = grace_seconds
        self._grace_ends = 0.0
        self._lock = threading.Lock()
        self._digested: int | None = None  # the store's revision
        self._failing = False
        self._caught_up = threading.Event()
        self._steps = 0
        self._promotions_checked = False
        self._closing = threading.Event()
        with store.reader() as cursor:
            prepare(cursor, grace_seconds)
        self._thread = threading.Thread(target=self._follow, name="digests", daemon=True)
        self._thread.start()

    @contextmanager
    def reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor that sees the digests of everything that has been committed.

        While a file is digested for the first time, it sees the digests so far.
        """
        if self._caught_up.wait(PATIENCE_SECONDS):
            self.refresh()
        with self._store.reader() as cursor:
            yield cursor

    @property
    def caught_up(self) -> bool:
        """Whether everything that was stored before the start has been digested."""
        return self._caught_up.is_set()

    @property
    def steps(self) -> int:
        """The number of digest transactions since the start; changes whenever the digests do."""
        return self._steps

    @property
    def awaits_parents(self) -> bool:
        """Whether spans arrived within the grace period.

        When it ends, answers about absent parents change without a commit.
        """
        return time.monotonic() < self._grace_ends

    def refresh(self) -> None:
        """Digest everything that has been committed since the last refresh."""
        if self._digested == self._store.revision:
            return
        with self._lock:
            revision = (
                self._store.revision
            )  # read first, so that a later commit does not count as digested
            if self._digested == revision:
                return
            with self._store.reader() as cursor:
                more = True
                self._grace_ends = time.monotonic() + self.grace_seconds
                while more and not self._closing.is_set():
                    more = digest_some(cursor)
                    self._steps += 1
                self._check_promotions(cursor)
            if not more:
                self._digested = revision
                self._caught_up.set()

    def _check_promotions(self, cursor: duckdb.DuckDBPyConnection) -> None:
        if self._promotions_checked:
            return
        (digested,) = _row(cursor, "select raw_rows from digest_state")
        if digested >= PROMOTIONS_CHECK_SPANS:
            self._promotions_checked = True
            for hint in hints(cursor):
                log.warning("%s", hint)

    def close(self) -> None:
        """Stop digesting. May be called twice."""
        self._closing.set()
        self._thread.join()

    def _follow(self) -> None:
        closing = False
        while not closing:
            try:
                self.refresh()
                self._failing = False
            except duckdb.Error as error:  # such as a full disk; queries fail with it too
                if not self._failing:
                    log.error("digesting traces failed: %s", error)
                self._failing = True
            closing = self._closing.wait(GATHER_SECONDS)


def digest_some(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Digest the next traces in one transaction. Return whether more remain."""
    cursor.begin()
    try:
        more = _digest_in_transaction(cursor)
        cursor.commit()
    except BaseException:
        with contextlib.suppress(duckdb.TransactionException):
            cursor.rollback()
        raise
    return more


def _digest_in_transaction(cursor: duckdb.DuckDBPyConnection) -> bool:
    watermark, digested = _row(cursor, "select watermark, raw_rows from digest_state")
    (stored,) = _row(cursor, "select count(*) from raw_spans")
    if stored == 0:
        if digested > 0:
            for name in NAMES[1:]:
                cursor.execute(f"delete from {name}")
            cursor.execute("update digest_state set watermark = -1, raw_rows = 0")
        return False
    commits = cursor.execute(
        "select received_unix_nano, count(*) from raw_spans "
        "where received_unix_nano > $watermark group by 1 order by 1",
        {"watermark": watermark},
    ).fetchall()
    undigested = sum(rows for _, rows in commits)
    if stored != digested + undigested:  # rows were deleted
        cursor.execute(spans.CHANGED_BY_COUNT)
        until = max([watermark, *(received for received, _ in commits)])
        rows = spans.CHANGED_ROWS.format(since=0, until=until)
        more = False
        raw_rows = stored
    elif commits:
        until, taken = _next_chunk(commits)
        cursor.execute(spans.CHANGED_BY_ARRIVAL, {"after": watermark, "until": until})
        rows = spans.NEW_ROWS.format(after=watermark, until=until)
        (since,) = _row(cursor, spans.RECEIVED_SINCE)
        if since is not None:  # some of their traces have older spans
            rows += "union all" + spans.CHANGED_ROWS.format(since=since, until=watermark)
        more = taken < undigested
        raw_rows = digested + taken
    else:
        return False
    _digest_changed(cursor, rows)
    cursor.execute(
        "update digest_state set watermark = $until, raw_rows = $raw_rows",
        {"until": until, "raw_rows": raw_rows},
    )
    return more


def _next_chunk(commits: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the time of the last commit of the next chunk, and the number of rows in the chunk."""
    until, taken = commits[0]
    for received, rows in commits[1:]:
        if taken + rows > CHUNK_ROWS:
            break
        until, taken = received, taken + rows
    return until, taken


def _digest_changed(cursor: duckdb.DuckDBPyConnection, rows: str) -> None:
    """Digest all traces in ``changed_traces``; the query ``rows`` selects their raw rows."""
    promotions = promotions_of(cursor)
    _select_spans(cursor, rows, promotions)
    cursor.execute(spans.ROW_COUNTS)
    (copies,) = _row(cursor, spans.COUNT_COPIES)
    if copies:
        _select_spans(cursor, spans.WITHOUT_COPIES.format(rows=rows), promotions)
    for table in reversed(BY_TRACE):  # digested_traces last, because the condition reads it
        cursor.execute(
            f"delete from {table} where trace in "
            "(select trace from digested_traces semi join changed_traces using (trace_key))"
        )
    cursor.execute(spans.LINKED_SPANS)
    cursor.execute(spans.COVERED)
    cursor.execute(spans.INSERT_SERVICES)
    cursor.execute(spans.INSERT_HOPS)
    cursor.execute(spans.INSERT_LINKS)
    cursor.execute(spans.trace_totals(promotions))
    cursor.execute(facts.schema_keys(promotions))
    cursor.execute(facts.fact_rows(promotions))
    cursor.execute(facts.CHANGED_FACTS)
    _insert_keys(cursor, promotions)
    _insert_values(cursor)
    cursor.execute(facts.NUMBERS)
    cursor.execute(facts.INSERT_WIDE_FACTS)
    cursor.execute(facts.WAITS)
    cursor.execute(facts.START_SPANS)
    cursor.execute(facts.start_sets(promotions))
    cursor.execute(facts.CHANGED_SETS)
    cursor.execute(facts.INSERT_SETS)
    cursor.execute(facts.INSERT_DIGESTS)
    for name in (*spans.TEMPORARY, *facts.TEMPORARY):
        cursor.execute(f"drop table if exists temp.{name}")


def _select_spans(cursor: duckdb.DuckDBPyConnection, rows: str, promotions: Promotions) -> None:
    cursor.execute(spans.CHANGED_ROWS_VIEW.format(rows=rows))
    cursor.execute(spans.changed_spans(promotions))


def _insert_keys(cursor: duckdb.DuckDBPyConnection, promotions: Promotions) -> None:
    cursor.execute(facts.insert_span_keys(promotions))
    cursor.execute(facts.UNKNOWN_KEYS)
    if _row(cursor, "select count(*) from unknown_keys") == (0,):
        return
    rows = cursor.execute(facts.NAMES_OF_UNKNOWN_KEYS).fetchall()
    cursor.execute(
        facts.INSERT_KEYS,
        {
            "keys": [key for key, _, _ in rows],
            "names": [facts.name_of(name, promotions) for _, name, _ in rows],
            "numeric": [numeric for _, _, numeric in rows],
        },
    )


def _insert_values(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(facts.NEW_FACTS)
    for key, numeric, values, uses in cursor.execute(facts.WIDE_CANDIDATES).fetchall():
        cursor.execute(
            facts.SET_WIDE,
            {
                "key": key,
                "wide": numeric or 4 * uses < 5 * values,
                "recheck_at": 2 * values,
            },
        )
    cursor.execute(facts.DELETE_WIDE)
    if _row(cursor, "select count(*) from new_facts") != (0,):
        cursor.execute(facts.INSERT_VALUES)
        cursor.execute(facts.COUNT_VALUES)


def _row(cursor: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = cursor.execute(query).fetchone()
    if row is None:
        raise duckdb.InvalidInputException(f"no row returned by {query}")
    return row
