"""The trace plugin: finding spans, assertions and their failures, waiting, and settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from observatory.schemas.journey import Journey
from tests.trace_plugin import Trace
from tests.trace_plugin.plugin import SETTINGS
from tests.trace_plugin.waiting import wait_for_whole
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import purchase

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "trace-tests.md").read_text()
EXAMPLE = re.findall(r"```python\n(def .*?)```", PAGE, re.DOTALL)[0]
CONFTEST = """
import httpx, pytest
from tests.unit.observatory.telemetry import purchase

@pytest.fixture
def buy_a_ticket(observatory):
    def buy():
        trace = purchase("order-1", charge_status=202)
        body = trace.request().SerializeToString()
        headers = {"content-type": "application/x-protobuf"}
        httpx.post(observatory.url + "/v1/traces", content=body, headers=headers).raise_for_status()
        return trace.trace_id.hex()

    return buy
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An Observatory shared by the tests of this module."""
    folder = tmp_path_factory.mktemp("observatory")
    server = Running(folder / "spans.duckdb", folder / "ui")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def trace(running: Running) -> Trace:
    """The trace of a complete purchase."""
    purchase_trace = purchase("order-1")
    running.send(purchase_trace)
    return Trace(running.client.trace(purchase_trace.trace_id.hex()))


def wait(running: Running, trace_id: str, **options: Any) -> Trace:
    """Wait for a trace with a short deadline."""
    default = {"until": lambda trace: True, "orphans": 0, "settled_ms": 0, "deadline_seconds": 20}
    return wait_for_whole(running.client, trace_id, **{**default, **options})


def test_spans_are_found_by_service_name_and_attributes_in_order_of_start(trace: Trace) -> None:
    """None matches any service or name, and spans that lack an attribute."""
    assert [row["name"] for row in trace.find("page")][:3] == [
        "buy",
        "POST /tokens",
        "create orders",
    ]
    assert [row["service"] for row in trace.find(None, "POST /charges")] == ["charge", "acquirer"]
    assert len(trace.find("charge", "charge", **{"boxoffice.order.state": "charging"})) == 1
    assert trace.find("charge", "charge", **{"boxoffice.order.state": "paid"}) == []
    assert len(trace.find("charge", "charge", **{"boxoffice.skipped": None})) == 1


def test_assertions_that_hold_do_not_fail(trace: Trace) -> None:
    """Covered are counts, paths, parents, links, limits and orphans."""
    buy, charge = trace.one("page", "buy"), trace.one("charge", "charge")
    path = trace.path("page", "reserve", "charge")
    assert [row["service"] for row in path] == ["page", "reserve", "charge"]
    assert path[-1] == charge
    trace.path("charge")
    trace.parent(charge, trace.one("reserve", "send order-reserved"))
    trace.link(trace.one("settle", "settle"), trace.one("acquirer", "POST"))
    trace.exactly(2, None, "POST /charges")
    trace.none("refund")
    trace.at_most(charge, hops=3, wait_ms=60, run_ms=268)
    trace.at_most(buy, hops=0, wait_ms=0)
    trace.at_most(hops=7, wait_ms=180, run_ms=884)
    trace.no_orphans()


@pytest.mark.parametrize(
    ("check", "expected", "found"),
    [
        (
            lambda t: t.one(None, "POST /charges"),
            "one span */POST /charges",
            "2: charge/POST /charges at 700 ms for 138 ms; "
            "acquirer/POST /charges at 706 ms for 128 ms",
        ),
        (lambda t: t.one("refund", "refund"), "one span refund/refund", "0"),
        (
            lambda t: t.one("issue", "issue", **{"boxoffice.order.state": "paid"}),
            "one span issue/issue with boxoffice.order.state = 'paid'",
            "0, beside 1: issue/issue at 2.05 s for 280 ms, boxoffice.order.state = 'ticketed'",
        ),
        (
            lambda t: t.exactly(2, "charge", "charge"),
            "2 spans charge/charge",
            "1: charge/charge at 600 ms for 268 ms",
        ),
        (
            lambda t: t.none("charge", "charge"),
            "no span charge/charge",
            "1: charge/charge at 600 ms for 268 ms",
        ),
        (lambda t: t.path("charge", "reserve"), "a path charge → reserve", "page → reserve"),
        (
            lambda t: t.path("page", "issue", "charge"),
            "a path page → issue → charge",
            "page → reserve → charge",
        ),
        (lambda t: t.path("page", "refund"), "a path page → refund", "no span of refund"),
        (
            lambda t: t.parent(t.one("charge", "charge"), t.one("page", "buy")),
            "page/buy as the parent of charge/charge",
            "reserve/send order-reserved",
        ),
        (
            lambda t: t.parent(t.one("page", "buy"), t.one("charge", "charge")),
            "charge/charge as the parent of page/buy",
            "no stored span",
        ),
        (
            lambda t: t.link(t.one("charge", "charge"), t.one("page", "buy")),
            "a link from charge/charge to page/buy",
            "no link",
        ),
        (
            lambda t: t.link(t.one("settle", "settle"), t.one("page", "buy")),
            "a link from settle/settle to page/buy",
            "links to acquirer/POST",
        ),
        (
            lambda t: t.at_most(t.one("charge", "charge"), hops=2),
            "at most 2 hops for charge/charge",
            "3",
        ),
        (
            lambda t: t.at_most(t.one("charge", "charge"), wait_ms=59),
            "at most 59 ms of waiting for charge/charge",
            "60",
        ),
        (
            lambda t: t.at_most(t.one("charge", "charge"), run_ms=267),
            "at most 267 ms of running for charge/charge",
            "268",
        ),
        (lambda t: t.at_most(hops=6), "at most 6 hops for page/order ticketed", "7"),
        (lambda t: t.at_most(wait_ms=99), "at most 99 ms of waiting for reserve/reserve", "180"),
        (
            lambda t: t.at_most(run_ms=500),
            "at most 500 ms of running for acquirer/card network",
            "884",
        ),
    ],
)
def test_a_failure_shows_what_was_expected_and_found_and_the_trace(
    trace: Trace, check: Any, expected: str, found: str
) -> None:
    """The test need not be run again to see the trace."""
    with pytest.raises(pytest.fail.Exception) as failure:
        check(trace)
    message, _, picture = str(failure.value).partition("\n\n")
    assert message == f"expected: {expected}\n   found: {found}"
    assert picture.startswith("Order order-1: ")
    for service in ("reserve", "acquirer", "issue"):
        assert re.search(rf"^  {service} .*█", picture, re.M), picture


def test_a_failure_lists_only_the_first_of_many_spans(trace: Trace) -> None:
    """The others are only counted."""
    with pytest.raises(pytest.fail.Exception, match=r"found: \d\d: page/buy .*; \d+ more\n"):
        trace.one()


def test_a_span_that_does_not_reach_a_root_is_listed(running: Running) -> None:
    """Either its parent is not stored, or it has no declared root; the waterfall marks it."""
    purchase_trace = purchase("order-1")
    running.send(purchase_trace, "charge", "acquirer", "settle", "issue")
    trace = wait(running, purchase_trace.trace_id.hex(), orphans=1)
    with pytest.raises(
        pytest.fail.Exception, match=r"found: \d+: charge/charge at 0 ms"
    ) as failure:
        trace.no_orphans()
    assert "is not stored" in str(failure.value)
    rootless = cast("Journey", {**trace.journey, "rows": [{**trace.find()[0], "orphan": False}]})
    with pytest.raises(pytest.fail.Exception, match="no span that fails to reach a declared root"):
        Trace(rootless).no_orphans()


def test_a_cycle_of_parents_ends(trace: Trace) -> None:
    """Looking for ancestors ends even for such invalid spans."""
    buy, create = trace.one("page", "buy"), trace.one("page", "create orders")
    cycle = [{**buy, "parent_span_id": create["span_id"]}, create]
    cyclic_trace = Trace(cast("Journey", {**trace.journey, "rows": cycle}))
    assert cyclic_trace.ancestors(create) == cycle


def test_waiting_ends_when_the_trace_is_complete(running: Running) -> None:
    """Then all parents are stored, `until` holds, and no span has arrived for a while."""
    purchase_trace = purchase("order-1")
    trace_id = purchase_trace.trace_id.hex()
    running.send(purchase_trace, "charge", "acquirer")

    def send_the_rest() -> None:
        for services in (("page", "reserve"), ("settle", "issue")):
            time.sleep(0.3)
            running.send(purchase_trace, *services)

    sender = threading.Thread(target=send_the_rest)
    sender.start()
    trace = wait(running, trace_id, until=lambda seen: seen.find("issue"), settled_ms=200)
    sender.join()
    trace.path("page", "reserve", "charge", "settle", "issue")
    assert trace.journey["last_received_ms_ago"] > 200


@pytest.mark.parametrize(
    ("services", "options", "found"),
    [
        (("charge",), {}, "1 spans whose parent is not stored"),
        ((), {"until": lambda trace: trace.find("refund")}, "the condition `until` does not hold"),
        ((), {"settled_ms": 60_000}, r"a span that arrived \d+ ms ago"),
    ],
)
def test_a_trace_that_is_incomplete_at_the_deadline_is_shown(
    running: Running, services: tuple[str, ...], options: dict[str, Any], found: str
) -> None:
    """The failure says why it is incomplete."""
    purchase_trace = purchase("order-1")
    running.send(purchase_trace, *services)
    expected = rf"expected: a complete trace within 0.2 s\n   found: {found}\n\nOrder order-1: "
    with pytest.raises(pytest.fail.Exception, match=expected):
        wait(running, purchase_trace.trace_id.hex(), deadline_seconds=0.2, **options)


def test_a_trace_that_never_arrives_fails_the_test(running: Running) -> None:
    """There is no trace to show, so the failure names only its id."""
    with pytest.raises(
        pytest.fail.Exception, match=r"no span of trace abab.* arrived within 0\.2 s"
    ):
        wait(running, "ab" * 16, deadline_seconds=0.2)


def pytest_on(test: str, running: Running, folder: Path, *options: str) -> tuple[int, str]:
    """Run a test in another project that loads the plugin; return the exit code and output."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(test)
    (folder / "pytest.ini").write_text(f"[pytest]\ntrace_url = {running.url}\n")
    completed = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.trace_plugin", "-q", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return completed.returncode, completed.stdout + completed.stderr


def test_the_example_in_the_manual_runs_in_another_project(
    running: Running, tmp_path: Path
) -> None:
    """The example has ten lines and needs only the plugin."""
    assert len(EXAMPLE.splitlines()) == 10
    status, output = pytest_on(EXAMPLE, running, tmp_path, "-o", "trace_settled_ms=100")
    assert status == 0, output


def test_the_failure_in_the_manual_is_the_actual_output(running: Running, tmp_path: Path) -> None:
    """The output shows the test's line, what was expected and found, and the waterfall."""
    broken = EXAMPLE.replace('"ticketed"', '"refunded"')
    status, output = pytest_on(broken, running, tmp_path, "-o", "trace_settled_ms=100")
    assert status == 1
    shown = re.findall(r"```\n(expected: .*?)```", PAGE, re.DOTALL)[0]
    for line in shown.splitlines():
        assert line in output, output
    assert re.search(r'^>\s+trace\.one\("issue"', output, re.M), output
    assert "trace_plugin" not in output.partition("short test summary")[0], output
    assert re.search(r"^E +card network .*█.* 884 ms$", output, re.M), output


def test_a_setting_that_is_not_a_number_is_reported(running: Running, tmp_path: Path) -> None:
    """The error names the setting and its value."""
    _, output = pytest_on(EXAMPLE, running, tmp_path, "-o", "trace_deadline_seconds=soon")
    assert "trace_deadline_seconds is 'soon': it must be a number" in output


def test_every_setting_and_every_method_is_documented() -> None:
    """An undocumented setting or method could be removed."""
    rows = re.findall(r"^\| `(trace_\w+)` \| (\S*) ?\| ", PAGE, re.M)
    assert rows == [(name, default) for name, default, _ in SETTINGS]
    methods = {name for name in vars(Trace) if not name.startswith("_")} - {"ancestors"}
    documented_methods = set(re.findall(r"`(?:raise )?trace\.(\w+)\(", PAGE))
    assert documented_methods == methods
