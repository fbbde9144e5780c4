"""Delete telemetry beyond the limits of age and size, oldest first and traces as a whole.

A trace's age counts from the arrival of its last span, so a trace recorded last year and imported
today is kept as long as one recorded today.
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
# How often to reclaim the space of replaced digests.
CHECKPOINT_SECONDS = 300.0
# Traces deleted per transaction: few enough that new telemetry does not wait long for its commit.
TRACES_AT_ONCE = 2_000
# How far below the size limit to go, as a share, so that the next check does not delete again.
HEADROOM = 0.1
# How often in a row the oldest traces are deleted, until the file is below its limit.
DELETIONS_MAX = 3
MB = 10**6

log = logging.getLogger(__name__)

# Filters by received_unix_nano first: old rows are adjacent in the file, so this reads few groups.
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
    """Keeps a store within its limits, in a background thread.

    Args:
        store: an open store; close the retention before it.
        limits: the limits of age and size.
        check_seconds: the time between checks.
    """

    def __init__(self, store: Store, limits: Limits, check_seconds: float = CHECK_SECONDS) -> None:
        self.limits = limits
        self._store = store
        self._check_seconds = check_seconds
        self._failing = False
        self._last_checkpoint = time.monotonic()
        self._checkpointed_revision = store.revision
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the checks. May be called twice."""
        self._closing.set()
        self._thread.join()

    def apply(self) -> int:
        """Delete what exceeds the limits now. Return the number of traces deleted."""
        deleted = self._delete_before(time.time_ns() - round(self.limits.age_hours * 3600e9))
        # How much space a deletion gives back depends on how the rows lie in the file.
        for _ in range(DELETIONS_MAX):
            cutoff = self._cutoff_of_size()
            if cutoff is None:
                break
            deleted += self._delete_before(cutoff)
        return deleted

    def _run(self) -> None:
        while not self._closing.wait(self._check_seconds):
            try:
                self.apply()
                if time.monotonic() - self._last_checkpoint >= CHECKPOINT_SECONDS:
                    self._checkpoint()
                self._failing = False
            except (duckdb.Error, CancelledError) as error:
                if not self._failing:
                    log.error("old traces cannot be deleted: %s", error)
                self._failing = True

    def _checkpoint(self) -> None:
        self._last_checkpoint = time.monotonic()
        if self._checkpointed_revision != self._store.revision:
            self._checkpointed_revision = self._store.revision
            self._store.checkpoint()

    def _cutoff_of_size(self) -> int | None:
        limit = self.limits.size_mb * MB
        if self._store.used_bytes() <= limit:
            return None
        self._store.checkpoint()  # reclaims the space of deleted rows
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
            self._store.run(lambda cursor: _delete_logs_and_metrics(cursor, cutoff)).result()
            self._store.delete_unreferenced()
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


def _delete_logs_and_metrics(cursor: duckdb.DuckDBPyConnection, cutoff: int) -> None:
    cursor.execute(OLD_LOGS, {"cutoff": cutoff})
    cursor.execute(OLD_METRICS, {"cutoff": cutoff})
