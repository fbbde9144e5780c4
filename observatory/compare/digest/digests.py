"""Digests kept up to date: after commits in the background, and before a question that needs it."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from observatory.compare.digest import facts, spans
from observatory.compare.digest.tables import BY_TRACE, NAMES, prepare
from observatory.store import Store
from observatory.store.promotions import Promotions, hints, promotions_of

log = logging.getLogger(__name__)

# How many raw rows are digested at once, which bounds the memory that it takes.
CHUNK_ROWS = 50_000
# For so long commits gather before they are digested, unless somebody asks.
GATHER_SECONDS = 0.2
# With so many spans stored, a promoted attribute that none of them has is likely a mistake.
ENOUGH_SPANS = 1_000
# So long a question waits, after a start, for what was stored before and isn't digested. Then it is
# answered from what is.
PATIENCE_SECONDS = 1.0


class Digests:
    """The digests of a store's traces, and readers that find them up to date.

    Args:
        store: an open store. Close this before it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._digested: int | None = None  # the store's revision
        self._failing = False
        self._caught_up = threading.Event()
        self._steps = 0
        self._promotions_checked = False
        self._closing = threading.Event()
        with store.reader() as cursor:
            prepare(cursor)
        self._thread = threading.Thread(target=self._follow, name="digests", daemon=True)
        self._thread.start()

    @contextmanager
    def reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor that sees the digests of everything that was committed before.

        Of a large file that was never digested it sees, after a start, what is done by then.
        """
        if self._caught_up.wait(PATIENCE_SECONDS):
            self.refresh()
        with self._store.reader() as cursor:
            yield cursor

    @property
    def caught_up(self) -> bool:
        """Whether all that was stored before the start is digested."""
        return self._caught_up.is_set()

    @property
    def steps(self) -> int:
        """Counts what is done in pieces: as long as it stays, so do the digests of one commit."""
        return self._steps

    def refresh(self) -> None:
        """Digest what was committed since the last time."""
        if self._digested == self._store.revision:
            return
        with self._lock:
            revision = self._store.revision  # before the look: a later commit is for the next one
            if self._digested == revision:
                return
            with self._store.reader() as cursor:
                more = True
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
        if digested >= ENOUGH_SPANS:
            self._promotions_checked = True
            for hint in hints(cursor):
                log.warning("%s", hint)

    def close(self) -> None:
        """Stop following the store. May be called twice."""
        self._closing.set()
        self._thread.join()

    def _follow(self) -> None:
        closing = False
        while not closing:
            try:
                self.refresh()
                self._failing = False
            except duckdb.Error as error:  # such as a full disk; a question would meet it too
                if not self._failing:
                    log.error("traces can't be digested: %s", error)
                self._failing = True
            closing = self._closing.wait(GATHER_SECONDS)


def digest_some(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Digest, in one transaction, traces that aren't yet. Returns whether there are more."""
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
    waiting = sum(rows for _, rows in commits)
    if stored != digested + waiting:
        cursor.execute(spans.CHANGED_BY_COUNT)
        until = max([watermark, *(received for received, _ in commits)])
        rows = spans.CHANGED_ROWS.format(since=0, until=until)
        more = False
        accounted = stored
    elif commits:
        until, taken = _some_of(commits)
        cursor.execute(spans.CHANGED_BY_ARRIVAL, {"after": watermark, "until": until})
        rows = spans.NEW_ROWS.format(after=watermark, until=until)
        (since,) = _row(cursor, spans.RECEIVED_SINCE)
        if since is not None:  # some of their traces were begun before
            rows += "union all" + spans.CHANGED_ROWS.format(since=since, until=watermark)
        more = taken < waiting
        accounted = digested + taken
    else:
        return False
    _digest_changed(cursor, rows)
    cursor.execute(
        "update digest_state set watermark = $until, raw_rows = $accounted",
        {"until": until, "accounted": accounted},
    )
    return more


def _some_of(commits: list[tuple[int, int]]) -> tuple[int, int]:
    """The first commits that are a chunk together: the time of the last, and their rows."""
    until, taken = commits[0]
    for received, rows in commits[1:]:
        if taken + rows > CHUNK_ROWS:
            break
        until, taken = received, taken + rows
    return until, taken


def _digest_changed(cursor: duckdb.DuckDBPyConnection, rows: str) -> None:
    """Digest all traces in ``changed_traces``; the query ``rows`` has their spans."""
    promotions = promotions_of(cursor)
    _take(cursor, rows, promotions)
    cursor.execute(spans.COUNTED)
    (copies,) = _row(cursor, spans.COPIES)
    if copies:
        _take(cursor, spans.ONCE.format(rows=rows), promotions)
    for table in reversed(BY_TRACE):  # the digests, by which the others are found, last
        cursor.execute(
            f"delete from {table} where trace in "
            "(select trace from trace_digests semi join changed_traces using (trace_key))"
        )
    cursor.execute(spans.LINKED_SPANS)
    cursor.execute(spans.COVERED)
    cursor.execute(spans.KEEP_SERVICES)
    cursor.execute(spans.KEEP_HOPS)
    cursor.execute(spans.trace_totals(promotions))
    cursor.execute(facts.shape_keys(promotions))
    cursor.execute(facts.fact_rows(promotions))
    cursor.execute(facts.FRESH_FACTS)
    _add_keys(cursor, promotions)
    _add_values(cursor)
    cursor.execute(facts.NUMBERS)
    cursor.execute(facts.KEEP_WIDE)
    cursor.execute(facts.WAITED)
    cursor.execute(facts.FRESH_SETS)
    cursor.execute(facts.ADD_SETS)
    cursor.execute(facts.KEEP_DIGESTS)
    for name in (*spans.TEMPORARY, *facts.TEMPORARY):
        cursor.execute(f"drop table if exists temp.{name}")


def _take(cursor: duckdb.DuckDBPyConnection, rows: str, promotions: Promotions) -> None:
    cursor.execute(spans.ARRIVED.format(rows=rows))
    cursor.execute(spans.fresh(promotions))


def _add_keys(cursor: duckdb.DuckDBPyConnection, promotions: Promotions) -> None:
    cursor.execute(facts.add_span_keys(promotions))
    cursor.execute(facts.UNKNOWN_KEYS)
    if _row(cursor, "select count(*) from unknown_keys") == (0,):
        return
    found = cursor.execute(facts.NAMES_OF_UNKNOWN_KEYS).fetchall()
    cursor.execute(
        facts.ADD_KEYS,
        {
            "keys": [key for key, _, _ in found],
            "names": [facts.name_of(name, promotions) for _, name, _ in found],
            "numeric": [numeric for _, _, numeric in found],
        },
    )


def _add_values(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(facts.NEW_FACTS)
    for key, numeric, values, uses in cursor.execute(facts.SUSPECTS).fetchall():
        cursor.execute(
            facts.SET_WIDE,
            {
                "key": key,
                "wide": numeric or 4 * uses < 5 * values,
                "recheck_at": 2 * values,
            },
        )
    cursor.execute(facts.FORGET_WIDE)
    if _row(cursor, "select count(*) from new_facts") != (0,):
        cursor.execute(facts.ADD_VALUES)
        cursor.execute(facts.COUNT_VALUES)


def _row(cursor: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = cursor.execute(query).fetchone()
    if row is None:
        raise duckdb.InvalidInputException(f"no row for {query}")
    return row
