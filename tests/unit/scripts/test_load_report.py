"""Tests of the report of `load`: each broken invariant is counted and named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

import httpx
import pytest

from stack.clients.box_office import APPROVED, BoxOffice
from stack.clients.firestore_rest import encode
from stack.load import load_report
from stack.load.load_report import Events, LoadReport, LoggedInvocations, Order, broken, report

PLACED, ENDED = "2026-01-01T10:00:00.000Z", "2026-01-01T10:00:02.500123456Z"


class Stack:
    """A fake stack with two valid orders, which a test changes."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "firebase.log"
        self.log.write_text("")
        self.orders = [
            Order(f"order{n}", 0, 2, APPROVED, "show", stock=4, trace_id=f"trace{n}")
            for n in range(2)
        ]
        self.states = dict.fromkeys(("order0", "order1"), "ticketed")
        self.tickets = [(order.id, number) for order in self.orders for number in (1, 2)]
        self.paid = ["order0", "order1"]
        self.rows = {order.trace_id: self._rows() for order in self.orders}
        self.documents = self
        self.invocations = LoggedInvocations(self.log)
        self.called("reserve", "reserve", "charge", "charge")

    def called(self, *functions: str) -> None:
        """Log invocations of functions as the emulator does."""
        with self.log.open("a") as log:
            for name in functions:
                log.write(f'i  functions: Beginning execution of "us-central1-{name}"\n')
                log.write(f'i  functions: Finished "us-central1-{name}" in 12.5ms\n')

    def query(self, collection: str) -> httpx.Response:
        """Respond as Firestore does."""
        documents: dict[str, dict[str, Any]] = {
            "orders": {
                order_id: {
                    **{"state": state, "placed_at": PLACED, "moved_at": {state: ENDED}},
                    **({"reason": "charge_refused"} if state == "failed" else {}),
                }
                for order_id, state in self.states.items()
            },
            "tickets": {
                f"{order_id}-{number}": {"order_id": order_id} for order_id, number in self.tickets
            },
        }
        rows = [
            {"document": {"name": f"a/b/{name}", "fields": encode(fields)["mapValue"]["fields"]}}
            for name, fields in documents[collection].items()
        ]
        return httpx.Response(200, json=rows, request=httpx.Request("POST", "http://firestore"))

    def charges(self) -> list[dict[str, Any]]:
        """Return the charges as the acquirer does."""
        return [
            {"status": "succeeded", "metadata": {"order_id": order_id}, "refund_id": None}
            for order_id in self.paid
        ]

    def trace(self, trace_id: str) -> dict[str, Any]:
        """Return a trace as the Observatory does."""
        rows = self.rows[trace_id]
        return {
            "trace_id": trace_id,
            "spans": len(rows),
            "covered": sum(row["covered"] for row in rows),
            "orphans": sum(row["orphan"] for row in rows),
            "rows": rows,
        }

    def report(self, untried: int = 0, dead: int = 0, killed: Sequence[str] = ()) -> LoadReport:
        """Return the report of the fake stack."""
        redelivered = {"untried": untried, "dead": dead}
        events = Events(self.invocations, redelivered, killed)
        return report("http://observatory", cast("BoxOffice", self), self.orders, events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None: ...

    @staticmethod
    def _rows() -> list[dict[str, Any]]:
        named = [("page", "buy"), ("page", "create orders"), ("reserve", "reserve")]
        named += [("reserve", "Commit"), ("charge", "charge")]
        return [
            {"service": service, "name": name, "covered": True, "orphan": False}
            for service, name in named
        ]


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack on which two orders of two seats each sold out a show of four."""
    fake = Stack(tmp_path)
    monkeypatch.setattr(load_report, "Observatory", lambda _url: fake)
    monkeypatch.setattr(load_report, "ARRIVING_SECONDS", -1.0)
    return fake


def test_valid_orders_break_no_invariant(stack: Stack) -> None:
    result = stack.report()
    assert result.figures == {
        "orders": 2,
        "final": 2,
        "oversold": 0,
        "double_charged": 0,
        "lost": 0,
        "failed": 0,
        "killed": 0,
        "dead_letters": 0,
        "coverage": 1.0,
        "orphans": 0,
        "spans_expected": 8,
        "spans_stored": 8,
        "p50_s": 2.5,
        "p95_s": 2.5,
    }
    assert (broken(result.figures), list(result.details)) == ([], [])


def test_seats_sold_beyond_the_stock_are_counted(stack: Stack) -> None:
    """The figure counts seats, not orders."""
    for order in stack.orders:
        order.stock = 1
    figures = stack.report().figures
    assert figures["oversold"] == 3
    assert broken(figures) == ["3 seats were sold beyond the stock"]


def test_an_order_charged_twice_is_named(stack: Stack) -> None:
    """It is named even if the buyer has the tickets."""
    stack.paid.append("order1")
    result = stack.report()
    assert broken(result.figures) == ["1 orders were charged twice"]
    assert list(result.details) == ["order order1 was charged 2 times"]


def test_unfinished_orders_and_paid_orders_without_all_tickets_are_lost(stack: Stack) -> None:
    stack.states["order0"], stack.paid = "placed", ["order1"]
    stack.tickets = [("order1", 1)]
    figures = stack.report().figures
    assert (figures["final"], figures["lost"]) == (1, 2)
    assert broken(figures) == ["1 of 2 orders are in a final state", "2 orders were lost"]


def test_money_kept_for_an_order_that_expired_is_a_lost_order(stack: Stack) -> None:
    """Its state is final, but the buyer paid for nothing."""
    stack.states["order0"], stack.tickets = "expired", [("order1", 1), ("order1", 2)]
    assert stack.report().figures["lost"] == 1


def test_an_order_that_a_stage_gave_up_is_named_with_its_reason(stack: Stack) -> None:
    """It is not lost, but no order of a load should fail."""
    stack.states["order0"], stack.tickets = "failed", [("order1", 1), ("order1", 2)]
    stack.paid = ["order1"]
    found = stack.report()
    assert broken(found.figures) == ["1 orders were given up"]
    assert list(found.details) == ["order order0 failed: charge_refused"]


def test_an_invocation_without_a_stored_span_is_reported(stack: Stack) -> None:
    """Invocations are counted in the emulator's log, independently of the spans."""
    stack.called("issue")
    result = stack.report()
    assert broken(result.figures) == ["8 spans are stored, 9 were expected"]
    assert "'issue': 1" in result.details[0]


def test_handed_over_events_and_other_functions_are_not_counted(stack: Stack) -> None:
    stack.called("reserve", "sweep", "expire")
    assert broken(stack.report(untried=1).figures) == []


def test_a_dead_letter_is_reported(stack: Stack) -> None:
    """It is reported even if every order is in a final state."""
    assert broken(stack.report(dead=3).figures) == ["3 events were dead-lettered"]


def test_an_orphan_is_named_with_its_trace(stack: Stack) -> None:
    stack.rows["trace1"][2] |= {"covered": False, "orphan": True}
    result = stack.report()
    assert broken(result.figures) == ["coverage is 0.9000, not 1", "1 spans are orphans"]
    assert list(result.details) == ["trace trace1: reserve · reserve (orphan)"]


def test_missing_spans_and_dead_letters_are_expected_of_killed_processes(stack: Stack) -> None:
    """They are counted all the same."""
    stack.called("issue")
    stack.rows["trace1"][2] |= {"covered": False, "orphan": True}
    found = stack.report(dead=3, killed=["issue"])
    assert (broken(found.figures), list(found.details)) == ([], [])
    names = ("killed", "dead_letters", "orphans", "spans_expected", "spans_stored")
    assert [found.figures[name] for name in names] == [1, 3, 1, 9, 8]


def test_killed_processes_may_lose_no_order(stack: Stack) -> None:
    stack.states["order0"] = "charging"
    assert broken(stack.report(killed=["charge"]).figures) == [
        "1 of 2 orders are in a final state",
        "1 orders were lost",
    ]


def test_an_invocation_whose_worker_was_killed_does_not_run(stack: Stack) -> None:
    """The emulator logs its failure, without its function, instead of its end."""
    stack.invocations.begin()
    with stack.log.open("a") as log:
        log.write('i  functions: Beginning execution of "us-central1-settle"\n')
        log.write('i  functions: Beginning execution of "us-central1-charge"\n')
        log.write("⚠  functions: Request to function failed: Error: socket hang up\n")
    assert stack.invocations.are_running()
    with stack.log.open("a") as log:
        log.write('i  functions: Finished "us-central1-charge" in 3ms\n')
    assert not stack.invocations.are_running()


def test_only_invocations_after_begin_are_counted(stack: Stack) -> None:
    """The log also has earlier ones."""
    stack.invocations.begin()
    assert not stack.invocations.counts()
    with stack.log.open("a") as log:
        log.write('i  functions: Beginning execution of "us-central1-settle"\n')
    assert stack.invocations.are_running()
    with stack.log.open("a") as log:
        log.write('i  functions: Finished "us-central1-settle" in 3ms\n')
    assert not stack.invocations.are_running()
    assert stack.invocations.counts() == {"settle": 1}
