"""What is kept, for how long, and how it goes."""

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
        found = reader.execute(f"select count(*) from {table}").fetchone()  # noqa: S608
    assert found is not None
    return int(found[0])


def made_older(store: Store, trace: Trace, hours: float) -> None:
    """As if the trace had arrived some hours ago."""
    key = {"id": trace.trace_id.hex(), "ago": round(hours * HOUR)}

    def older(cursor: duckdb.DuckDBPyConnection) -> None:
        for table in ("raw_spans", "raw_logs"):
            cursor.execute(
                f"update {table} set received_unix_nano = received_unix_nano - $ago "  # noqa: S608
                "where trace_id = $id",
                key,
            )

    store.run(older).result(10)


def test_what_is_too_old_goes_whole_and_with_its_logs(running: Running) -> None:
    """Of two traces the one that nothing arrived of for too long is deleted; the other stays."""
    old, new = purchase("order-1"), purchase("order-2")
    running.send(old)
    running.send(new)
    made_older(running.store, old, 30)
    retention = Retention(running.store, Limits(age_hours=24))
    try:
        assert retention.apply() == 1
        assert retention.apply() == 0
    finally:
        retention.close()
    assert count(running.store, "raw_spans") == len(new.spans)
    assert count(running.store, "raw_logs") == len(new.logs)


def test_a_trace_that_still_grows_is_not_old(running: Running) -> None:
    """A span that arrives late keeps the spans that came before it."""
    trace = purchase("order-1")
    running.send(trace, "page")
    made_older(running.store, trace, 30)
    running.send(trace)
    retention = Retention(running.store, Limits(age_hours=24))
    try:
        assert retention.apply() == 0
    finally:
        retention.close()
    assert running.client.trace(trace.trace_id.hex())["spans"] == len(trace.spans)


def many_spans(began: int) -> Trace:
    trace = Trace(began_unix_nano=began)
    for number in range(200):
        trace.span("page", f"span {number}", INTERNAL, 0, 1, text=f"{began} {number}" * 20)
    return trace


def test_a_file_that_grew_too_large_loses_its_oldest_traces(tmp_path: Path) -> None:
    """What is in use of the file is below the limit afterwards, to a block of the file; the newest
    traces are left."""
    store = Store(tmp_path / "spans.duckdb")
    traces = [many_spans(time.time_ns() + n) for n in range(200)]
    for trace in traces:
        store.add(trace.rows()).result(10)
    store.checkpoint()
    limit = store.used_bytes() / 2 / MB
    retention = Retention(store, Limits(size_mb=limit))
    try:
        assert retention.apply() > 0
        assert store.used_bytes() <= limit * MB + BLOCK_BYTES
        with store.reader() as reader:
            found = reader.execute("select distinct trace_id from raw_spans").fetchall()
        left = {trace_id for (trace_id,) in found}
        newest = [trace.trace_id.hex() for trace in traces[-len(left) :]]
        assert left == set(newest)
        assert len(left) >= len(traces) * (1 - HEADROOM) / 2 * 0.7
    finally:
        retention.close()
        store.close()


def test_room_of_deleted_rows_costs_no_trace(tmp_path: Path) -> None:
    """A file that is too large only because of rows that were deleted is made smaller; the trace
    stays."""
    store = Store(tmp_path / "spans.duckdb")
    store.add(many_spans(time.time_ns()).rows()).result(10)
    store.checkpoint()
    needed = store.used_bytes()
    less = "delete from span_shapes where shape_id % 20 > 0"
    many = "insert into span_shapes select range, ['a'], md5(range::varchar) from range(200000)"
    store.run(lambda cursor: cursor.execute(many)).result(30)
    with store.reader() as reader:
        # As DuckDB does by itself, when much was written.
        reader.execute("checkpoint")
        store.run(lambda cursor: cursor.execute(less)).result(30)
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


def test_retention_works_in_the_background(tmp_path: Path) -> None:
    """Nobody has to ask: what is too old is gone a little later."""
    store = Store(tmp_path / "spans.duckdb")
    trace = purchase("order-1")
    store.add(trace.rows()).result(10)
    made_older(store, trace, 30)
    retention = Retention(store, Limits(age_hours=24), check_seconds=0.01)
    try:
        deadline = time.monotonic() + 10
        while count(store, "raw_spans"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        retention.close()
        store.close()


def test_storage_says_what_is_kept_and_for_how_long(start: Callable[..., Running]) -> None:
    """Counts, sizes, the limits, and the oldest and the newest start."""
    running = start(limits=Limits(age_hours=48, size_mb=100))
    empty = running.http.get("/api/storage").json()
    assert (empty["spans"], empty["oldest"], empty["newest"]) == (0, None, None)
    trace = purchase("order-1", began_unix_nano=10**18)
    running.send(trace)
    said = running.http.get("/api/storage").json()
    assert (said["spans"], said["traces"]) == (len(trace.spans), 1)
    assert (said["logs"], said["metrics"]) == (len(trace.logs), 0)
    assert said["oldest"] == "2001-09-09T01:46:40.000Z"
    assert said["retention"] == {"age_hours": 48, "size_mb": 100}
    assert said["file_bytes"] > 0
    assert said["memory_bytes"] > 10 * MB
    assert said["path"] == str(running.store.path)


def clear(running: Running, **headers: str) -> int:
    body = json.dumps({"confirm": "clear"})
    return running.http.post("/api/clear", content=body, headers=JSON | headers).status_code


def test_a_clear_deletes_everything_and_gives_the_space_back(
    start: Callable[..., Running],
) -> None:
    """Nothing is left, not after a restart either; and what is sent again is new."""
    running = start()
    trace = purchase("order-1")
    for n in range(20):
        running.store.add(many_spans(n).rows()).result(10)
    running.send(trace)
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
def test_a_clear_has_to_be_meant(running: Running, body: bytes) -> None:
    """Without the word nothing is deleted."""
    running.send(purchase("order-1"))
    assert running.http.post("/api/clear", content=body, headers=JSON).status_code == 400
    assert running.client.health()["spans"] > 0


def test_only_the_page_itself_may_clear(running: Running) -> None:
    """No page of another origin, on this machine or not; a command has no origin at all."""
    running.send(purchase("order-1"))
    for origin in ("http://127.0.0.1:1", "http://localhost:5002", "https://evil.example", "null"):
        assert clear(running, origin=origin) == 403
    assert running.client.health()["spans"] > 0
    assert clear(running, origin=running.url) == 200
    assert running.client.health()["spans"] == 0
