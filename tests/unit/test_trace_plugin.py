"""The plugin that asks traces: what it finds, and what it says where something isn't so."""

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
    """An Observatory."""
    folder = tmp_path_factory.mktemp("observatory")
    server = Running(folder / "spans.duckdb", folder / "ui")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def trace(running: Running) -> Trace:
    """A purchase, from the page to the tickets."""
    bought = purchase("order-1")
    running.send(bought)
    return Trace(running.client.trace(bought.trace_id.hex()))


def wait(running: Running, trace_id: str, **how: Any) -> Trace:
    """Wait for a trace, not long."""
    default = {"until": lambda trace: True, "orphans": 0, "settled_ms": 0, "deadline_seconds": 20}
    return wait_for_whole(running.client, trace_id, **{**default, **how})


def test_spans_are_found_by_service_name_and_attributes_as_they_began(trace: Trace) -> None:
    """None stands for any, and for an attribute that is absent."""
    assert [row["name"] for row in trace.find("page")][:3] == [
        "buy",
        "POST /tokens",
        "create orders",
    ]
    assert [row["service"] for row in trace.find(None, "POST /charges")] == ["charge", "acquirer"]
    assert len(trace.find("charge", "charge", **{"boxoffice.order.state": "charging"})) == 1
    assert trace.find("charge", "charge", **{"boxoffice.order.state": "paid"}) == []
    assert len(trace.find("charge", "charge", **{"boxoffice.nothing_to_do": None})) == 1


def test_what_holds_is_not_complained_of(trace: Trace) -> None:
    """Counts, a path, a parent, a link, bounds, and that nothing leads nowhere."""
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
    ("say", "expected", "came"),
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
            "page/buy directly above charge/charge",
            "reserve/send order-reserved",
        ),
        (
            lambda t: t.parent(t.one("page", "buy"), t.one("charge", "charge")),
            "charge/charge directly above page/buy",
            "nothing that is stored",
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
def test_what_does_not_hold_is_said_with_what_came_and_the_trace(
    trace: Trace, say: Any, expected: str, came: str
) -> None:
    """So that nobody has to run it again to see."""
    with pytest.raises(pytest.fail.Exception) as failure:
        say(trace)
    said, _, picture = str(failure.value).partition("\n\n")
    assert said == f"expected: {expected}\n    came: {came}"
    assert picture.startswith("Order order-1: ")
    for service in ("reserve", "acquirer", "issue"):
        assert re.search(rf"^  {service} .*█", picture, re.M), picture


def test_many_spans_are_counted_and_some_of_them_named(trace: Trace) -> None:
    """A trace of a thousand doesn't drown what was expected."""
    with pytest.raises(pytest.fail.Exception, match=r"came: \d\d: page/buy .*; \d+ more\n"):
        trace.one()


def test_a_span_that_leads_nowhere_is_named(running: Running) -> None:
    """Its parent is not stored, or no declared root is above it; the waterfall marks it."""
    bought = purchase("order-1")
    running.send(bought, "charge", "acquirer", "settle", "issue")
    trace = wait(running, bought.trace_id.hex(), orphans=1)
    with pytest.raises(pytest.fail.Exception, match=r"came: \d+: charge/charge at 0 ms") as failure:
        trace.no_orphans()
    assert "is not in the store" in str(failure.value)
    rootless = cast("Journey", {**trace.journey, "rows": [{**trace.find()[0], "orphan": False}]})
    with pytest.raises(pytest.fail.Exception, match="no span that leads nowhere"):
        Trace(rootless).no_orphans()


def test_a_circle_of_parents_ends(trace: Trace) -> None:
    """Whoever sends such spans, looking above them comes to an end."""
    buy, create = trace.one("page", "buy"), trace.one("page", "create orders")
    circle = [{**buy, "parent_span_id": create["span_id"]}, create]
    round_trace = Trace(cast("Journey", {**trace.journey, "rows": circle}))
    assert round_trace.ancestors(create) == circle


def test_a_trace_is_waited_for_until_it_is_whole(running: Running) -> None:
    """Until the parents are there, what is waited for too, and nothing came for a while."""
    bought = purchase("order-1")
    trace_id = bought.trace_id.hex()
    running.send(bought, "charge", "acquirer")

    def later() -> None:
        for services in (("page", "reserve"), ("settle", "issue")):
            time.sleep(0.3)
            running.send(bought, *services)

    sender = threading.Thread(target=later)
    sender.start()
    trace = wait(running, trace_id, until=lambda seen: seen.find("issue"), settled_ms=200)
    sender.join()
    trace.path("page", "reserve", "charge", "settle", "issue")
    assert trace.journey["last_received_ms_ago"] > 200


@pytest.mark.parametrize(
    ("services", "how", "came"),
    [
        (("charge",), {}, "1 spans whose parent is not stored"),
        ((), {"until": lambda trace: trace.find("refund")}, "not what was waited for"),
        ((), {"settled_ms": 60_000}, r"the last span \d+ ms ago"),
    ],
)
def test_a_trace_that_is_not_whole_in_time_is_shown_as_it_is(
    running: Running, services: tuple[str, ...], how: dict[str, Any], came: str
) -> None:
    """With what it lacks."""
    bought = purchase("order-1")
    running.send(bought, *services)
    expected = rf"expected: a complete trace within 0.2 s\n    came: {came}\n\nOrder order-1: "
    with pytest.raises(pytest.fail.Exception, match=expected):
        wait(running, bought.trace_id.hex(), deadline_seconds=0.2, **how)


def test_a_trace_that_never_comes_is_said(running: Running) -> None:
    """There is nothing to show."""
    with pytest.raises(pytest.fail.Exception, match=r"nothing of trace abab.* came within 0\.2 s"):
        wait(running, "ab" * 16, deadline_seconds=0.2)


def pytest_on(test: str, running: Running, folder: Path, *options: str) -> tuple[int, str]:
    """Run one test in another project that loads the plugin; its exit status, and what it says."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(test)
    (folder / "pytest.ini").write_text(f"[pytest]\ntrace_url = {running.url}\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.trace_plugin", "-q", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_documents_example_runs_in_another_project(running: Running, tmp_path: Path) -> None:
    """As it stands there, in ten lines, with nothing but the plugin loaded."""
    assert len(EXAMPLE.splitlines()) == 10
    status, said = pytest_on(EXAMPLE, running, tmp_path, "-o", "trace_settled_ms=100")
    assert status == 0, said


def test_the_documents_failure_is_what_one_sees(running: Running, tmp_path: Path) -> None:
    """Which line of the test it is, what it expected, what came, and the waterfall."""
    broken = EXAMPLE.replace('"ticketed"', '"refunded"')
    status, said = pytest_on(broken, running, tmp_path, "-o", "trace_settled_ms=100")
    assert status == 1
    shown = re.findall(r"```\n(expected: .*?)```", PAGE, re.DOTALL)[0]
    for line in shown.splitlines():
        assert line in said, said
    assert re.search(r'^>\s+trace\.one\("issue"', said, re.M), said
    assert "trace_plugin" not in said.partition("short test summary")[0], said
    assert re.search(r"^E +card network .*█.* 884 ms$", said, re.M), said


def test_a_setting_that_is_no_number_is_said(running: Running, tmp_path: Path) -> None:
    """With its name and its value."""
    _, said = pytest_on(EXAMPLE, running, tmp_path, "-o", "trace_deadline_seconds=soon")
    assert "trace_deadline_seconds is 'soon': it is a number" in said


def test_every_setting_and_every_method_is_documented() -> None:
    """With its default; what nobody is told of need not be there."""
    rows = re.findall(r"^\| `(trace_\w+)` \| (\S*) ?\| ", PAGE, re.M)
    assert rows == [(name, default) for name, default, _ in SETTINGS]
    methods = {name for name in vars(Trace) if not name.startswith("_")} - {"ancestors"}
    told = set(re.findall(r"`(?:raise )?trace\.(\w+)\(", PAGE))
    assert told == methods
