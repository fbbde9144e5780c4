"""The store: durability, restarts, and files that it refuses."""

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb
import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from observatory.__main__ import main as observatory_main
from observatory.client import Observatory
from observatory.receive.spans import spans_of
from observatory.store import Store, StoreRefused
from observatory.store.opening import ROW_GROUP_ROWS
from tests.unit.local_server import eventually
from tests.unit.observatory.conftest import PROTOBUF, Running
from tests.unit.observatory.process import ROOT, observatory_process, run_main
from tests.unit.observatory.telemetry import purchase


def test_spans_survive_a_restart(start: Callable[..., Running]) -> None:
    """A second Observatory on the same file shows the same rows."""
    trace = purchase("order-1")
    first = start()
    first.send(trace)
    before = first.client.trace(trace.trace_id.hex())
    first.stop()
    after = start().client.trace(trace.trace_id.hex())
    assert after["rows"] == before["rows"]


def test_acknowledged_spans_survive_sigkill(tmp_path: Path) -> None:
    """Spans that got a 200 are still there after the process is killed."""
    data = tmp_path / "spans.duckdb"
    traces = [purchase(f"order-{number}") for number in range(5)]
    with observatory_process(data) as (process, url):
        for trace in traces:
            body = trace.request().SerializeToString()
            response = httpx.post(
                f"{url}/v1/traces", content=body, headers=PROTOBUF, trust_env=False
            )
            assert response.status_code == 200
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with observatory_process(data) as (_, url), Observatory(url) as client:
        assert client.health()["spans"] == sum(len(trace.spans) for trace in traces)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.long)])
def test_acknowledged_telemetry_survives_sigkill_under_load(tmp_path: Path, kills: int) -> None:
    """The process is killed at random moments while eight senders send all three signals.

    Nothing that was acknowledged is lost, and nothing is stored twice.
    """
    data = tmp_path / "spans.duckdb"
    acknowledged: dict[str, list[str]] = {"spans": [], "logs": [], "metrics": []}

    def sender(url: str) -> None:
        with httpx.Client(base_url=url, headers=PROTOBUF, trust_env=False) as http:
            while True:
                trace = purchase("order-1")
                trace_id = trace.trace_id.hex()
                gauge = ExportMetricsServiceRequest()
                metric = gauge.resource_metrics.add().scope_metrics.add().metrics.add(name=trace_id)
                metric.gauge.data_points.add(as_double=1)
                for kind, path, request in (
                    ("spans", "traces", trace.request()),
                    ("logs", "logs", trace.logs_request()),
                    ("metrics", "metrics", gauge),
                ):
                    body = request.SerializeToString()
                    try:
                        response = http.post(f"/v1/{path}", content=body)
                    except httpx.TransportError:
                        return  # the process was killed; this request may or may not be stored
                    if response.status_code == 200:
                        acknowledged[kind].append(trace_id)

    for _ in range(kills):
        before = len(acknowledged["metrics"])
        with observatory_process(data) as (process, url):
            senders = [threading.Thread(target=sender, args=(url,)) for _ in range(8)]
            for each in senders:
                each.start()
            enough = before + random.randint(1, 100)  # noqa: S311
            eventually(lambda: len(acknowledged["metrics"]) >= enough, "requests", 60)  # noqa: B023
            time.sleep(random.uniform(0, 0.3))  # noqa: S311  # a moment within a fold or commit
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            for each in senders:
                each.join()
    with observatory_process(data) as (process, url), Observatory(url) as client:
        eventually(lambda: client.health()["pending_bytes"] == 0, "the journal is stored")
        process.terminate()
        process.wait()
    sent = purchase("order-1")
    for kind, column, rows in (
        ("spans", "trace_id", len(sent.spans)),
        ("logs", "trace_id", len(sent.logs)),
        ("metrics", "name", 1),
    ):
        with duckdb.connect(data) as connection:
            query = f"select {column}, count(*) from raw_{kind} group by all"  # noqa: S608
            stored = dict(connection.execute(query).fetchall())
        assert {stored.get(name) for name in acknowledged[kind]} == {rows}, kind
        assert set(stored.values()) == {rows}, kind


def test_row_groups_stay_small(tmp_path: Path) -> None:
    """No row group exceeds the configured size, even after a checkpoint that follows a restart.

    Deleting rows then rewrites only a small part of the file.
    """
    data = tmp_path / "it's a shop.duckdb"
    rows = 3 * ROW_GROUP_ROWS
    for turn in range(2):
        store = Store(data)
        first, end = turn * rows, (turn + 1) * rows
        many = f"insert into attribute_schemas select range, ['a'], 's' from range({first}, {end})"  # noqa: S608
        store.run(partial(duckdb.DuckDBPyConnection.execute, query=many)).result(10)
        store.checkpoint()
        with store.reader() as reader:
            groups = reader.execute(
                "select row_group_id, sum(count) from pragma_storage_info('attribute_schemas') "
                "where column_name = 'schema_id' and segment_type <> 'VALIDITY' group by all"
            ).fetchall()
        store.close()
        assert sum(count for _, count in groups) == rows * (turn + 1)
        assert max(count for _, count in groups) <= ROW_GROUP_ROWS


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_with_exit_code_0(tmp_path: Path, stop: signal.Signals) -> None:
    """SIGTERM and SIGINT end it without output on stderr."""
    with observatory_process(tmp_path / "spans.duckdb") as (process, _):
        process.send_signal(stop)
        _, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == (0, "")


def test_a_port_in_use_is_reported(running: Running, tmp_path: Path) -> None:
    """The process exits with 1 and one line that names the port."""
    port = running.url.rsplit(":", 1)[1]
    refused = observatory_command_process("--port", port, "--data", str(tmp_path / "other.duckdb"))
    assert refused.returncode == 1
    assert f"127.0.0.1:{port}" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    """The command exits with 1 and one line that names the file."""
    data = tmp_path / "notes.txt"
    data.write_text("not a database\n" * 1000)
    refused = observatory_command("--port", "0", "--data", str(data))
    assert refused.returncode == 1
    assert f"{data} is not a DuckDB database" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    """The message names the file, its version and the required version; the file is unchanged."""
    data = tmp_path / "spans.duckdb"
    Store(data).close()
    with duckdb.connect(data) as connection:
        connection.execute("update observatory_schema set version = 99")
    with pytest.raises(StoreRefused, match=r"spans\.duckdb has version 99 .* needs version 5"):
        Store(data)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """A DuckDB file with other tables is not written to."""
    data = tmp_path / "sales.duckdb"
    with duckdb.connect(data) as connection:
        connection.execute("create table sales (n integer)")
    with pytest.raises(StoreRefused, match="another program"):
        Store(data)


def test_a_file_in_use_is_refused(running: Running) -> None:
    """A second process on the same file reports that it is in use."""
    refused = observatory_command_process("--port", "0", "--data", str(running.store.path))
    assert refused.returncode == 1
    assert "in use by another process" in refused.stderr


def test_a_bad_batch_does_not_affect_others_in_its_group(tmp_path: Path) -> None:
    """If a group cannot be committed, its batches are committed one by one."""
    store = Store(tmp_path / "spans.duckdb")
    good, other = purchase("order-1").rows(), purchase("order-2").rows()
    bad = replace(purchase("order-3").rows(), table=good.table.drop_columns(["name"]))
    added = [store.add(rows) for rows in (good, bad, other)]
    assert added[0].exception(10) is None
    assert added[1].exception(10) is not None
    assert added[2].exception(10) is None
    with store.reader() as reader:
        count = reader.execute("select count(*) from raw_spans").fetchone()
        assert count == (2 * good.table.num_rows,)
    store.close()


@pytest.mark.measures
def test_readers_see_only_committed_rows_and_never_wait(tmp_path: Path) -> None:
    """While a write transaction is open, a reader returns the committed rows at once."""
    store = Store(tmp_path / "spans.duckdb")
    rows = purchase("order-1").rows()
    store.add(rows).result(10)
    with store.reader() as writing, store.reader() as reading:
        writing.begin()
        writing.execute("insert into raw_spans select * from raw_spans")
        started = time.monotonic()
        assert reading.execute("select count(*) from raw_spans").fetchone() == (
            rows.table.num_rows,
        )
        assert time.monotonic() - started < 1
        writing.rollback()
    store.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process's files")
def test_a_full_disk_gets_a_503_until_there_is_space(tmp_path: Path) -> None:
    """The 503 names the reason, acknowledged spans are kept, and later requests succeed."""
    data = tmp_path / "spans.duckdb"
    unlimited = resource.RLIM_INFINITY

    def send(url: str) -> httpx.Response:
        body = purchase("order-1").request().SerializeToString()
        return httpx.post(f"{url}/v1/traces", content=body, headers=PROTOBUF, trust_env=False)

    with observatory_process(data) as (process, url):
        assert send(url).status_code == 200
        # A limit on the file size makes writes fail as on a full disk.
        size = max(file.stat().st_size for file in tmp_path.glob("spans.duckdb*"))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size + 200_000, unlimited))
        stored_traces = 1
        for _ in range(500):
            response = send(url)
            if response.status_code != 200:
                break
            stored_traces += 1
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert b"The store failed" in response.content
        assert b"File too large" in response.content
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
        assert send(url).status_code == 200
        stored_traces += 1
    with observatory_process(data) as (_, url), Observatory(url) as observatory:
        assert observatory.health()["traces"] == stored_traces


def test_a_resent_span_is_stored_once(tmp_path: Path) -> None:
    """This holds within a group and across groups, beside new spans, and after a restart."""
    path = tmp_path / "spans.duckdb"
    store = Store(path)
    trace, other = purchase("order-1"), purchase("order-2")
    for rows in (trace.rows("page"), trace.rows(), trace.rows(), other.rows("page")):
        store.add(rows)
    store.close()
    store = Store(path)
    for each in (trace, other):
        store.add(each.rows()).result(10)
    with store.reader() as reader:
        counts = reader.execute(
            "select count(*), count(distinct (trace_id, span_id)) from raw_spans"
        ).fetchone()
    expected = len(trace.spans) + len(other.spans)
    assert counts == (expected, expected)
    store.close()


def test_each_resource_is_stored_once(tmp_path: Path) -> None:
    """This holds after reopening the store, and if the attributes come in another order."""
    path = tmp_path / "spans.duckdb"
    for number in range(2):
        store = Store(path)
        request = purchase(f"order-{number}").request("page")
        if number:
            request.resource_spans[0].resource.attributes.reverse()
        store.add(spans_of(request.SerializeToString()).rows).result(10)
        with store.reader() as reader:
            count = reader.execute("select count(*) from resources").fetchone()
        assert count == (1,)
        store.close()


def newest_received_unix_nano(store: Store) -> int:
    with store.reader() as reader:
        row = reader.execute("select max(received_unix_nano) from raw_spans").fetchone()
    return int(row[0]) if row else 0


def test_each_commit_has_a_later_received_time(tmp_path: Path) -> None:
    """The received time finds new rows even if the clock is set back during a restart."""
    path = tmp_path / "spans.duckdb"
    store = Store(path)
    store.add(purchase("order-1").rows()).result(10)
    first = newest_received_unix_nano(store)
    ahead = 10**18

    def later(cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute("update raw_spans set received_unix_nano = received_unix_nano + ?", [ahead])

    store.run(later).result(10)
    store.close()
    store = Store(path)
    assert newest_received_unix_nano(store) == first + ahead
    trace = purchase("order-2")
    store.add(trace.rows()).result(10)
    with store.reader() as reader:
        new = reader.execute(
            "select distinct trace_id from raw_spans where received_unix_nano > ?", [first + ahead]
        ).fetchall()
    assert new == [(trace.trace_id.hex(),)]
    store.close()


def test_work_runs_in_a_transaction(tmp_path: Path) -> None:
    """Its result is returned. If it fails, its changes are rolled back and the store goes on."""
    store = Store(tmp_path / "spans.duckdb")
    rows = purchase("order-1").rows()
    store.add(rows).result(10)

    def fails(cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute("delete from raw_spans")
        raise ValueError("failed")

    assert isinstance(store.run(fails).exception(10), ValueError)
    store.add(purchase("order-2").rows()).result(10)
    before = store.revision
    counted = store.run(lambda cursor: cursor.execute("select count(*) from raw_spans").fetchone())
    assert counted.result(10) == (2 * rows.table.num_rows,)
    assert store.revision > before  # what readers see may have changed
    store.close()


def observatory_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m observatory`` in this process; it is expected not to start a server."""
    return run_main(observatory_main, arguments)


def observatory_command_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m observatory``, which is expected to exit with an error."""
    return subprocess.run(
        [sys.executable, "-m", "observatory", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
