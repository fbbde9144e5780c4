"""Retention by age and size, the storage API, and clearing the store."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from observatory.store import Limits, Retention, Store
from observatory.store.retention import HEADROOM, MB
from tests.unit.observatory.conftest import JSON, Running
from tests.unit.observatory.telemetry import INTERNAL, Trace, purchase

BLOCK_BYTES = 2**18
HOUR = 3600 * 10**9


def count(store: Store, table: str) -> int:
    with store.reader() as reader:
        row = reader.execute(f"select count(*) from {table}").fetchone()  # noqa: S608
    assert row is not None
    return int(row[0])


def make_older(store: Store, trace: Trace, hours: float) -> None:
    """Change the trace as if it had arrived some hours ago."""
    key = {"id": trace.trace_id.hex(), "ago": round(hours * HOUR)}

    def subtract(cursor: duckdb.DuckDBPyConnection) -> None:
        for table in ("raw_spans", "raw_logs"):
            cursor.execute(
                f"update {table} set received_unix_nano = received_unix_nano - $ago "  # noqa: S608
                "where trace_id = $id",
                key,
            )

    store.run(subtract).result(10)


def test_old_traces_are_deleted_with_their_logs(running: Running) -> None:
    """Of two traces, the one whose last span arrived too long ago is deleted."""
    old, new = purchase("order-1"), purchase("order-2")
    running.send(old)
    running.send(new)
    make_older(running.store, old, 30)
    retention = Retention(running.store, Limits(age_hours=24))
    try:
        assert retention.apply() == 1
        assert retention.apply() == 0
    finally:
        retention.close()
    assert count(running.store, "raw_spans") == len(new.spans)
    assert count(running.store, "raw_logs") == len(new.logs)


def test_a_trace_with_a_recent_span_is_kept(running: Running) -> None:
    """A span that arrives late keeps the older spans of its trace."""
    trace = purchase("order-1")
    running.send(trace, "page")
    make_older(running.store, trace, 30)
    running.send(trace)
    retention = Retention(running.store, Limits(age_hours=24))
    try:
        assert retention.apply() == 0
    finally:
        retention.close()
    assert running.client.trace(trace.trace_id.hex())["spans"] == len(trace.spans)


def many_spans(start_unix_nano: int) -> Trace:
    trace = Trace(began_unix_nano=start_unix_nano)
    for number in range(200):
        trace.span(
            "page", f"span {number}", INTERNAL, 0, 1, text=f"{start_unix_nano} {number}" * 20
        )
    return trace


def test_the_oldest_traces_are_deleted_when_the_file_is_too_large(tmp_path: Path) -> None:
    """The used size is then below the limit (to a block), and the newest traces are kept."""
    store = Store(tmp_path / "spans.duckdb")
    traces = [many_spans(time.time_ns() + n) for n in range(200)]
    for added in [store.add(trace.rows()) for trace in traces]:
        added.result(30)
    store.checkpoint()
    limit = store.used_bytes() / 2 / MB
    retention = Retention(store, Limits(size_mb=limit))
    try:
        assert retention.apply() > 0
        assert store.used_bytes() <= limit * MB + BLOCK_BYTES
        with store.reader() as reader:
            rows = reader.execute("select distinct trace_id from raw_spans").fetchall()
        kept = {trace_id for (trace_id,) in rows}
        newest = [trace.trace_id.hex() for trace in traces[-len(kept) :]]
        assert kept == set(newest)
        assert len(kept) >= len(traces) * (1 - HEADROOM) / 2 * 0.5
    finally:
        retention.close()
        store.close()


def test_space_of_deleted_rows_is_reclaimed_before_traces_are_deleted(tmp_path: Path) -> None:
    """A file that is too large only because of deleted rows is shrunk; the trace is kept."""
    store = Store(tmp_path / "spans.duckdb")
    store.add(many_spans(time.time_ns()).rows()).result(10)
    store.checkpoint()
    needed = store.used_bytes()
    delete_rows = "delete from attribute_schemas where schema_id % 20 > 0"
    insert_rows = (
        "insert into attribute_schemas select range, ['a'], md5(range::varchar) from range(200000)"
    )
    store.run(lambda cursor: cursor.execute(insert_rows)).result(30)
    with store.reader() as reader:
        # As DuckDB does by itself after large writes.
        reader.execute("checkpoint")
        store.run(lambda cursor: cursor.execute(delete_rows)).result(30)
        reader.execute("checkpoint")
    limit = (store.used_bytes() + needed) / 2 / MB
    retention = Retention(store, Limits(size_mb=limit))
    try:
        assert retention.apply() == 0
        assert store.used_bytes() < limit * MB
        with store.reader() as reader:
            assert reader.execute("select count(*) from raw_spans").fetchone() != (0,)
    finally:
        retention.close()
        store.close()


def test_retention_runs_in_the_background(tmp_path: Path) -> None:
    """An old trace is deleted without a call to ``apply``."""
    store = Store(tmp_path / "spans.duckdb")
    trace = purchase("order-1")
    store.add(trace.rows()).result(10)
    make_older(store, trace, 30)
    retention = Retention(store, Limits(age_hours=24), check_seconds=0.01)
    try:
        deadline = time.monotonic() + 10
        while count(store, "raw_spans"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        retention.close()
        store.close()


def test_the_storage_api_reports_counts_sizes_and_limits(start: Callable[..., Running]) -> None:
    """It also reports the oldest and the newest start time."""
    running = start(limits=Limits(age_hours=48, size_mb=100))
    empty = running.http.get("/api/storage").json()
    assert (empty["spans"], empty["oldest"], empty["newest"]) == (0, None, None)
    trace = purchase("order-1", began_unix_nano=10**18)
    running.send(trace)
    storage = running.http.get("/api/storage").json()
    assert (storage["spans"], storage["traces"]) == (len(trace.spans), 1)
    assert (storage["logs"], storage["metrics"]) == (len(trace.logs), 0)
    assert storage["oldest"] == "2001-09-09T01:46:40.000Z"
    assert storage["retention"] == {"age_hours": 48, "size_mb": 100}
    assert storage["file_bytes"] > 0
    assert storage["memory_bytes"] > 10 * MB
    assert storage["path"] == str(running.store.path)


def clear(running: Running, **headers: str) -> int:
    body = json.dumps({"confirm": "clear"})
    return running.http.post("/api/clear", content=body, headers=JSON | headers).status_code


def test_clearing_deletes_everything_and_shrinks_the_file(
    start: Callable[..., Running],
) -> None:
    """Nothing comes back after a restart, and spans that are sent again are stored."""
    running = start()
    trace = purchase("order-1")
    for n in range(20):
        running.store.add(many_spans(n).rows()).result(10)
    running.send(trace)
    running.wait_until_caught_up()
    running.store.checkpoint()
    before = running.store.file_bytes()
    assert clear(running) == 200
    assert running.client.health()["spans"] == 0
    assert running.store.file_bytes() < before / 2
    running.send(trace)
    assert running.client.trace(trace.trace_id.hex())["spans"] == len(trace.spans)
    assert clear(running) == 200
    running.stop()
    assert start().client.health()["spans"] == 0


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"clear", b'{"confirm": true}'])
def test_clearing_requires_a_confirmation(running: Running, body: bytes) -> None:
    """Without ``{"confirm": "clear"}`` nothing is deleted."""
    running.send(purchase("order-1"))
    assert running.http.post("/api/clear", content=body, headers=JSON).status_code == 400
    assert running.client.health()["spans"] > 0


def test_pages_of_other_origins_cannot_clear_the_store(running: Running) -> None:
    """This includes other pages on this machine; a command sends no origin."""
    running.send(purchase("order-1"))
    for origin in ("http://127.0.0.1:1", "http://localhost:5002", "https://evil.example", "null"):
        assert clear(running, origin=origin) == 403
    assert running.client.health()["spans"] > 0
    assert clear(running, origin=running.url) == 200
    assert running.client.health()["spans"] == 0
