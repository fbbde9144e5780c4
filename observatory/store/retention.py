"""What is too old, or too much, goes: whole traces, those that were heard of least lately first.

A trace's age counts from its last span to arrive, so that one of last year that is imported today
stays as long as one of today.
"""

import logging
import threading
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass

import duckdb

from observatory.store.database import Store

KEEP_HOURS = 7 * 24.0
KEEP_MB = 2048.0
CHECK_SECONDS = 30.0
# How often the gaps are closed that digests leave when they are made again.
TIDY_SECONDS = 300.0
# In one transaction, so that what arrives need not wait long for its own.
TRACES_AT_ONCE = 2_000
# After the size was exceeded, so much less, so that not every check finds the file too large again.
HEADROOM = 0.1
MB = 10**6

log = logging.getLogger(__name__)

# Of received_unix_nano; the oldest rows lie together, so that this reads few of them.
OLD_TRACES = """
select trace_key from raw_spans
where trace_key in (
    select distinct trace_key from raw_spans where received_unix_nano < $cutoff)
group by trace_key having max(received_unix_nano) < $cutoff
order by max(received_unix_nano) limit $limit
"""
OLD_LOGS = """
delete from raw_logs
where received_unix_nano < $cutoff and (
    trace_key is null or trace_key not in (select distinct trace_key from raw_spans))
"""
OLD_METRICS = "delete from raw_metrics where received_unix_nano < $cutoff"
CUTOFF = """
select quantile_disc(received, $share) from (
    select received_unix_nano as received from raw_spans
    union all select received_unix_nano from raw_logs
    union all select received_unix_nano from raw_metrics)
"""


@dataclass(frozen=True)
class Limits:
    """How long telemetry is kept, and how large the file may grow."""

    age_hours: float = KEEP_HOURS
    size_mb: float = KEEP_MB


class Retention:
    """Keeps a store within limits, in the background.

    Args:
        store: an open store. Close this before it.
        limits: how much may stay.
        check_seconds: how often to look.
    """

    def __init__(self, store: Store, limits: Limits, check_seconds: float = CHECK_SECONDS) -> None:
        self.limits = limits
        self._store = store
        self._check_seconds = check_seconds
        self._failing = False
        self._tidied_at = time.monotonic()
        self._tidied = store.revision
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="retention", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking. May be called twice."""
        self._closing.set()
        self._thread.join()

    def apply(self) -> int:
        """Delete what is beyond the limits now. Returns how many traces that were."""
        deleted = self._delete_before(time.time_ns() - round(self.limits.age_hours * 3600e9))
        cutoff = self._cutoff_of_size()
        if cutoff is not None:
            deleted += self._delete_before(cutoff)
        return deleted

    def _watch(self) -> None:
        while not self._closing.wait(self._check_seconds):
            try:
                self.apply()
                if time.monotonic() - self._tidied_at >= TIDY_SECONDS:
                    self._tidy()
                self._failing = False
            except (duckdb.Error, CancelledError) as error:
                if not self._failing:
                    log.error("old traces can't be deleted: %s", error)
                self._failing = True

    def _tidy(self) -> None:
        self._tidied_at = time.monotonic()
        if self._tidied != self._store.revision:
            self._tidied = self._store.revision
            self._store.checkpoint()

    def _cutoff_of_size(self) -> int | None:
        limit = self.limits.size_mb * MB
        if self._store.used_bytes() <= limit:
            return None
        self._store.checkpoint()  # some of it may be of rows that were deleted
        used = self._store.used_bytes()
        if used <= limit:
            return None
        share = min(1.0, 1 - (1 - HEADROOM) * limit / used)
        with self._store.reader() as reader:
            row = reader.execute(CUTOFF, {"share": share}).fetchone()
        return row[0] + 1 if row and row[0] is not None else None

    def _delete_before(self, cutoff: int) -> int:
        deleted = 0
        more = self._holds_older(cutoff)
        changed = more
        while more and not self._closing.is_set():
            traces = self._store.run(lambda cursor: _delete_traces(cursor, cutoff)).result()
            deleted += traces
            more = traces == TRACES_AT_ONCE
        if changed:
            self._store.run(lambda cursor: _delete_rest(cursor, cutoff)).result()
            self._store.forget_unused()
            self._store.checkpoint()
        return deleted

    def _holds_older(self, cutoff: int) -> bool:
        with self._store.reader() as reader:
            for table in ("raw_spans", "raw_logs", "raw_metrics"):
                oldest = reader.execute(f"select min(received_unix_nano) from {table}").fetchone()  # noqa: S608
                if oldest and oldest[0] is not None and oldest[0] < cutoff:
                    return True
        return False


def _delete_traces(cursor: duckdb.DuckDBPyConnection, cutoff: int) -> int:
    parameters = {"cutoff": cutoff, "limit": TRACES_AT_ONCE}
    keys = [key for (key,) in cursor.execute(OLD_TRACES, parameters).fetchall()]
    for table in ("raw_logs", "raw_spans") if keys else ():
        cursor.execute(
            f"delete from {table} where trace_key in (select unnest($keys::ubigint[]))",  # noqa: S608
            {"keys": keys},
        )
    return len(keys)


def _delete_rest(cursor: duckdb.DuckDBPyConnection, cutoff: int) -> None:
    cursor.execute(OLD_LOGS, {"cutoff": cutoff})
    cursor.execute(OLD_METRICS, {"cutoff": cutoff})
