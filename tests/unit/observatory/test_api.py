"""The JSON API and the pages beside it."""

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


def test_health_says_what_it_holds(running: Running) -> None:
    """The health answer names the service and counts what is stored."""
    trace = purchase("order-1")
    running.send(trace)
    health = running.client.health()
    assert health["service"] == "throughline-observatory"
    assert (health["traces"], health["spans"]) == (1, len(trace.spans))
    assert health["logs"] == len(trace.logs)


def test_traces_are_listed_newest_first(running: Running) -> None:
    """The list has a line for each trace, newest first, at most as many as asked for."""
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


def test_traces_are_found_by_what_is_in_them(running: Running) -> None:
    """Order, service, prefix and words each narrow the list, and all words must fit one span."""
    paid, declined = purchase("order-1"), purchase("order-2", decline=True)
    running.send(paid)
    running.send(declined)

    def found(**asked: str) -> set[str | None]:
        return {line["order_id"] for line in running.client.traces(**asked)["traces"]}  # type: ignore[arg-type]

    assert found(subject="order-1") == {"order-1"}
    assert found(service="issue") == {"order-1"}
    assert found(text="DECLINED settle") == {"order-2"}
    assert found(text="declined issue") == set()
    assert found(text=paid.trace_id.hex()[:20]) == {"order-1"}
    assert found(trace_id_prefix=declined.trace_id.hex()[:20].upper()) == {"order-2"}
    assert found(text="%_'; drop table raw_spans; --") == set()


def test_the_list_is_not_sent_again_until_something_came(running: Running) -> None:
    """With the ETag of the last answer a caller gets 304, until there is a new span."""
    etag = running.http.get("/api/traces").headers["etag"]
    unchanged = running.http.get("/api/traces", headers={"if-none-match": etag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    running.send(purchase("order-1"))
    changed = running.http.get("/api/traces", headers={"if-none-match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/traces?limit=0", 400, "limit is '0'"),
        ("/api/traces?limit=many", 400, "limit is 'many'"),
        ("/api/traces?limit=501", 400, "1 to 500"),
        ("/api/traces?colour=red", 400, "no parameter 'colour'"),
        ("/api/traces?trace_id_prefix=xyz", 400, "hexadecimal"),
        ("/api/traces/1234", 400, "'1234' is no trace id"),
        (f"/api/traces/{'ab' * 16}", 404, "No span of trace abab"),
        ("/api/nothing", 404, "/api/nothing"),
    ],
)
def test_a_wrong_question_gets_a_clear_error(
    running: Running, path: str, status: int, said: str
) -> None:
    """An error is JSON with a code and a message that names what was wrong."""
    answer = running.http.get(path)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]


def test_coverage_over_everything_names_the_broken_traces(running: Running) -> None:
    """Coverage counts by service, and lists the traces that have an orphan or no root."""
    assert running.client.coverage()["coverage"] is None
    running.send(purchase("order-1"))
    assert running.client.coverage()["coverage"] == 1.0
    lonely = Trace()
    lonely.span("charge", "charge", INTERNAL, 0, 1, parent=b"gone-999")
    running.send(lonely)
    coverage = running.client.coverage()
    assert (coverage["covered"], coverage["spans"], coverage["orphans"]) == (24, 25, 1)
    assert coverage["coverage"] == 24 / 25
    assert [trace["trace_id"] for trace in coverage["broken"]] == [lonely.trace_id.hex()]
    (charge,) = [s for s in coverage["services"] if s["service"] == "charge"]
    assert charge == {"service": "charge", "spans": 4, "covered": 3, "orphans": 1}


def test_coverage_says_what_each_hop_carried(running: Running) -> None:
    """By throughline.hop: carried, absent, invalid and orphans; declared roots by their kind."""
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
    # A span with a parent is no root, whatever it declares.
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
    running.send(lost)  # delivered twice, counted once
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


def test_the_client_says_when_nothing_runs() -> None:
    """Without an Observatory the client's error says where it looked and how to start one."""
    with (
        Observatory("http://127.0.0.1:9") as client,
        pytest.raises(NotRunning, match=r"127\.0\.0\.1:9 .* \./scripts/dev"),
    ):
        client.health()
    with Observatory("http://[broken") as client, pytest.raises(ObservatoryError):
        client.health()


def test_the_client_waits_for_a_trace(running: Running) -> None:
    """Waiting returns once the condition holds, and says what was there when it never does."""
    trace = purchase("order-1")
    with pytest.raises(TraceNotFound):
        running.client.trace(trace.trace_id.hex())
    with pytest.raises(TimeoutError, match="no span"):
        running.client.wait_for_trace(trace.trace_id.hex(), timeout_seconds=0)
    running.send(trace)
    journey = running.client.wait_for_trace(
        trace.trace_id.hex(), lambda seen: seen["order_state"] == "ticketed"
    )
    assert journey["orphans"] == 0
    with pytest.raises(TimeoutError, match="24 spans of page, reserve"):
        running.client.wait_for_trace(trace.trace_id.hex(), lambda _: False, timeout_seconds=0)


def test_every_view_of_the_explorer_is_one_page(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """The list's and each trace's address serve the built page; its parts are served beside it."""
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
    lost = running.http.get("/trace/12")
    assert (lost.status_code, "explorer" in lost.text) == (404, True)
    assert "explorer" not in running.http.get("/assets/gone.js").text
    assert "javascript" in running.http.get("/assets/index.js").headers["content-type"]
    assert running.http.get("/assets/%2e%2e/%2e%2e/secret.txt").status_code == 404


@pytest.mark.parametrize("path", ["/v1/trace", "/v1/traces/v1/traces"])
def test_telemetry_that_is_sent_elsewhere_is_told_where_it_belongs(
    running: Running, path: str
) -> None:
    """An exporter whose endpoint has a path too much is the usual reason."""
    answer = running.post(path, b"")
    assert answer.status_code == 404
    assert "/v1/traces" in answer.text
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in answer.text


def test_help_is_given() -> None:
    """`python -m observatory --help` names every option."""
    from tests.unit.observatory.test_store import observatory_command

    shown: subprocess.CompletedProcess[str] = observatory_command("--help")
    assert shown.returncode == 0
    named = ("--host", "--port", "--data", "--ui", "--allow-host", "--allow-origin")
    for option in (*named, "--keep-hours", "--keep-mb", "--config", "--faults", "--flags", "--app"):
        assert option in shown.stdout


def test_it_serves_while_it_digests_what_it_held_before(
    start: Callable[..., Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health says that it is catching up, and questions are answered from what is done."""
    data = tmp_path / "spans.duckdb"
    store = Store(data)
    store.add(purchase("order-1").rows()).result(10)
    store.close()
    may_go_on = threading.Event()
    digest_some = digests.digest_some

    def waits(cursor: duckdb.DuckDBPyConnection) -> bool:
        may_go_on.wait(20)
        return digest_some(cursor)

    monkeypatch.setattr(digests, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(digests, "digest_some", waits)
    again = start(data)
    health = again.client.health()
    assert (health["status"], health["spans"]) == ("catching up", 24)
    behind = again.http.get("/api/traces").json()
    assert behind["total"] == 0
    may_go_on.set()
    deadline = time.monotonic() + 20
    while again.client.health()["status"] != "ok":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert again.client.health()["digested_spans"] == 24
    now = again.http.get("/api/traces", headers={"If-None-Match": f'"{behind["revision"]}"'})
    assert now.json()["total"] == 1
