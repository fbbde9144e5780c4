"""The JSON API, its client, and the explorer's pages."""

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from observatory.client import NotRunning, Observatory, ObservatoryError, TraceNotFound
from observatory.compare.digest import digests
from observatory.store import Store
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import CONSUMER, INTERNAL, SERVER, Trace, purchase


def test_health_counts_what_is_stored(running: Running) -> None:
    """Health names the service, and counts the stored traces, spans and log records."""
    trace = purchase("order-1")
    running.send(trace)
    health = running.client.health()
    assert health["service"] == "throughline-observatory"
    assert (health["traces"], health["spans"]) == (1, len(trace.spans))
    assert health["logs"] == len(trace.logs)


def test_traces_are_listed_newest_first(running: Running) -> None:
    """The list has a line for each trace, newest first, up to the limit."""
    for number in range(3):
        running.send(purchase(f"order-{number}", began_unix_nano=10**18 + number * 10**9))
    listed = running.client.traces(limit=2)
    assert listed["total"] == 3
    assert [line["order_id"] for line in listed["traces"]] == ["order-2", "order-1"]
    line = listed["traces"][0]
    assert (line["root"], line["root_service"], line["order_state"]) == ("buy", "page", "ticketed")
    assert line["started_at"] == "2001-09-09T01:46:42.000Z"
    assert line["duration_ms"] == 2330
    assert line["services"] == ["page", "reserve", "charge", "acquirer", "settle", "issue"]


def test_parameters_narrow_the_list_of_traces(running: Running) -> None:
    """Order, service, id prefix and words each narrow the list; all words must match."""
    paid, declined = purchase("order-1"), purchase("order-2", decline=True)
    running.send(paid)
    running.send(declined)

    def listed_orders(**filters: str) -> set[str | None]:
        return {line["order_id"] for line in running.client.traces(**filters)["traces"]}  # type: ignore[arg-type]

    assert listed_orders(subject="order-1") == {"order-1"}
    assert listed_orders(service="issue") == {"order-1"}
    assert listed_orders(text="DECLINED settle") == {"order-2"}
    assert listed_orders(text="declined issue") == set()
    assert listed_orders(text=paid.trace_id.hex()[:20]) == {"order-1"}
    assert listed_orders(trace_id_prefix=declined.trace_id.hex()[:20].upper()) == {"order-2"}
    assert listed_orders(text="%_'; drop table raw_spans; --") == set()


def test_an_unchanged_list_is_answered_with_304(running: Running) -> None:
    """With the ETag of the last response a client gets 304, until a span is stored."""
    running.wait_until_caught_up()
    etag = running.http.get("/api/traces").headers["etag"]
    unchanged = running.http.get("/api/traces", headers={"if-none-match": etag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    running.send(purchase("order-1"))
    changed = running.http.get("/api/traces", headers={"if-none-match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/api/traces?limit=0", 400, "limit is '0'"),
        ("/api/traces?limit=many", 400, "limit is 'many'"),
        ("/api/traces?limit=501", 400, "1 to 500"),
        ("/api/traces?colour=red", 400, "no parameter 'colour'"),
        ("/api/traces?trace_id_prefix=xyz", 400, "hexadecimal"),
        ("/api/traces/1234", 400, "'1234' is not a trace id"),
        (f"/api/traces/{'ab' * 16}", 404, "No span of trace abab"),
        ("/api/unknown", 404, "no path /api/unknown"),
    ],
)
def test_an_error_names_the_invalid_value(
    running: Running, path: str, status: int, message: str
) -> None:
    """An error is JSON with a message that names what is wrong."""
    response = running.http.get(path)
    assert response.status_code == status
    assert message in response.json()["error"]["message"]


def test_coverage_lists_the_broken_traces(running: Running) -> None:
    """Coverage counts spans by service, and lists the traces with orphans or uncovered spans."""
    assert running.client.coverage()["coverage"] is None
    running.send(purchase("order-1"))
    assert running.client.coverage()["coverage"] == 1.0
    orphaned = Trace()
    orphaned.span("charge", "charge", INTERNAL, 0, 1, parent=b"gone-999")
    running.send(orphaned)
    coverage = running.client.coverage()
    assert (coverage["covered"], coverage["spans"], coverage["orphans"]) == (24, 25, 1)
    assert coverage["coverage"] == 24 / 25
    assert [trace["trace_id"] for trace in coverage["broken"]] == [orphaned.trace_id.hex()]
    (charge,) = [s for s in coverage["services"] if s["service"] == "charge"]
    assert charge == {"service": "charge", "spans": 4, "covered": 3, "orphans": 1}


def test_coverage_counts_contexts_by_hop(running: Running) -> None:
    """Coverage counts contexts and orphans by throughline.hop, and declared roots by kind."""
    empty = running.client.coverage()
    assert (empty["hops"], empty["roots"]) == ([], {})
    running.send(purchase("order-1"))
    swept = Trace()
    sweep = swept.span(
        "sweep",
        "sweep",
        SERVER,
        0,
        9,
        throughline__root="schedule",
        throughline__hop="schedule",
        throughline__context="absent",
    )
    # A span with a parent is not a root, even if it declares itself one.
    swept.span("sweep", "resume order", INTERNAL, 1, 2, sweep, throughline__root="schedule")
    running.send(swept)
    lost = Trace()
    for context, parent in (("carried", b"gone-999"), ("invalid", None)):
        lost.span(
            "charge",
            "charge",
            CONSUMER,
            0,
            1,
            parent=parent,
            throughline__hop="pubsub",
            throughline__context=context,
        )
    running.send(lost)
    running.send(lost)  # exported twice, counted once
    coverage = running.client.coverage()
    hops = {hop["hop"]: hop for hop in coverage["hops"]}
    assert hops["pubsub"] == {
        "hop": "pubsub",
        "carried": 3,
        "absent": 0,
        "invalid": 1,
        "orphans": 1,
    }
    assert hops["schedule"]["absent"] == 1
    assert hops["listener"]["carried"] == 5
    assert coverage["roots"] == {"page": 1, "schedule": 1}


def test_the_client_reports_an_observatory_that_does_not_run() -> None:
    """The client's error names the address, and the command that starts an Observatory."""
    with (
        Observatory("http://127.0.0.1:9") as client,
        pytest.raises(NotRunning, match=r"127\.0\.0\.1:9 .* \./scripts/dev"),
    ):
        client.health()
    with Observatory("http://[broken") as client, pytest.raises(ObservatoryError):
        client.health()


def test_the_client_waits_for_a_trace(running: Running) -> None:
    """Waiting ends when the condition holds; the error of a timeout describes the trace."""
    trace = purchase("order-1")
    with pytest.raises(TraceNotFound):
        running.client.trace(trace.trace_id.hex())
    with pytest.raises(TimeoutError, match="no span"):
        running.client.wait_for_trace(trace.trace_id.hex(), timeout_seconds=0)
    running.send(trace)
    journey = running.client.wait_for_trace(
        trace.trace_id.hex(), lambda stored: stored["order_state"] == "ticketed"
    )
    assert journey["orphans"] == 0
    with pytest.raises(TimeoutError, match="24 spans of page, reserve"):
        running.client.wait_for_trace(trace.trace_id.hex(), lambda _: False, timeout_seconds=0)


def test_every_view_of_the_explorer_is_the_same_page(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """The list's and each trace's URL serve the built page, which loads its files from assets."""
    ui = tmp_path / "built"
    running = start(ui=ui)
    missing = running.http.get("/")
    assert missing.status_code == 404
    assert "./scripts/dev" in missing.text
    (ui / "assets").mkdir(parents=True)
    (ui / "index.html").write_text("<!doctype html><title>explorer</title>")
    (ui / "assets" / "index.js").write_text("export {}")
    (tmp_path / "secret.txt").write_text("not for the browser")
    for path in ("/", "/faults", f"/traces/{'ab' * 16}"):
        assert "explorer" in running.http.get(path).text
    unknown = running.http.get("/trace/12")
    assert (unknown.status_code, "explorer" in unknown.text) == (404, True)
    assert "explorer" not in running.http.get("/assets/gone.js").text
    assert "javascript" in running.http.get("/assets/index.js").headers["content-type"]
    assert running.http.get("/assets/%2e%2e/%2e%2e/secret.txt").status_code == 404


@pytest.mark.parametrize("path", ["/v1/trace", "/v1/traces/v1/traces"])
def test_an_export_to_a_wrong_path_is_answered_with_the_right_one(
    running: Running, path: str
) -> None:
    """The usual reason is an endpoint setting that already contains a path."""
    response = running.post(path, b"")
    assert response.status_code == 404
    assert "/v1/traces" in response.text
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in response.text


def test_help_names_every_option() -> None:
    """`python -m observatory --help` names every option."""
    from tests.unit.observatory.test_store import observatory_command

    completed: subprocess.CompletedProcess[str] = observatory_command("--help")
    assert completed.returncode == 0
    options = ("--host", "--port", "--data", "--ui", "--allow-host", "--allow-origin")
    for option in (
        *options,
        "--keep-hours",
        "--keep-mb",
        "--config",
        "--faults",
        "--flags",
        "--app",
    ):
        assert option in completed.stdout


def test_it_serves_while_it_digests_an_existing_file(
    start: Callable[..., Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health reports that it is catching up, and queries see the digests so far."""
    data = tmp_path / "spans.duckdb"
    store = Store(data)
    store.add(purchase("order-1").rows()).result(10)
    store.close()
    digesting_allowed = threading.Event()
    digest_some = digests.digest_some

    def delayed_digest_some(cursor: duckdb.DuckDBPyConnection) -> bool:
        digesting_allowed.wait(20)
        return digest_some(cursor)

    monkeypatch.setattr(digests, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(digests, "digest_some", delayed_digest_some)
    running = start(data)
    health = running.client.health()
    assert (health["status"], health["spans"]) == ("catching up", 24)
    incomplete = running.http.get("/api/traces").json()
    assert incomplete["total"] == 0
    digesting_allowed.set()
    deadline = time.monotonic() + 20
    while running.client.health()["status"] != "ok":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert running.client.health()["digested_spans"] == 24
    etag = f'"{incomplete["revision"]}"'
    complete = running.http.get("/api/traces", headers={"If-None-Match": etag})
    assert complete.json()["total"] == 1
