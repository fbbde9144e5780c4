"""Reports the final states of many orders: broken invariants and missing spans."""

from __future__ import annotations

import re
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from observatory.client import Observatory, TraceNotFound
from observatory.schemas.journey import Journey, Row
from stack.clients.box_office import FINAL, BoxOffice
from stack.clients.firestore_rest import decode
from stack.invariants import OrderOutcome, oversold

#: The functions that take part in a purchase, and whose invocations are counted.
FUNCTIONS = ("reserve", "charge", "settle", "issue", "audit")
#: The spans that the load generator exports for each order: `buy` and `create orders`.
PAGE_SPANS = 2

ARRIVING_SECONDS = 20.0
DETAILS_MAX = 20

# Logged instead of "Finished", without the function's name, if a worker ends during an invocation.
_FAILED = re.compile(r"Request to function failed", re.ASCII)
_LOG_LINE = re.compile(
    r'functions: (Beginning execution of|Finished) "[a-z]+-[a-z]+\d+-(\w+)"', re.ASCII
)


@dataclass
class Order:
    """One order of the run."""

    id: str
    show: int
    seats: int
    card: str
    show_id: str = ""
    stock: int = 0
    trace_id: str = ""
    is_placed: bool = False


@dataclass(frozen=True)
class LoadReport:
    """The figures of a run by name, and a line for each problem."""

    figures: dict[str, Any]
    details: Sequence[str]


class Invocations(Protocol):
    """Counts invocations of the purchase's functions."""

    def begin(self) -> None:
        """Count only invocations from now on."""

    def counts(self) -> Counter[str]:
        """Return how often each function finished."""

    def are_running(self) -> bool:
        """Return whether an invocation has started, and neither finished nor failed."""


class LoggedInvocations:
    """Counts invocations in the functions emulator's log."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._from = 0

    def begin(self) -> None:
        """Count only what is logged from now on."""
        self._from = self._log.stat().st_size

    def counts(self) -> Counter[str]:
        """Return how often each function finished."""
        return self._read()["Finished"]

    def are_running(self) -> bool:
        """Return whether an invocation has started, and neither finished nor failed."""
        logged = self._read()
        unfinished = logged["Beginning execution of"] - logged["Finished"]
        return unfinished.total() > logged["failed"].total()

    def _read(self) -> dict[str, Counter[str]]:
        logged: dict[str, Counter[str]] = {
            "Beginning execution of": Counter(),
            "Finished": Counter(),
            "failed": Counter(),
        }
        with self._log.open("rb") as log:
            log.seek(self._from)
            text = log.read().decode(errors="replace")
        logged["failed"].update(_FAILED.findall(text))
        for event, function in _LOG_LINE.findall(text):
            if function in FUNCTIONS:
                logged[event][function] += 1
        return logged


@dataclass(frozen=True)
class Events:
    """What happened to the events of a run.

    Attributes:
        invocations: those that the functions emulator logged.
        redelivered: the increase of each number of redelivery's state. Its `untried` are
            invocations that only handed an event over and left no span; each delivery by redelivery
            is a further invocation.
        killed: names of the processes that were killed during the run.
    """

    invocations: Invocations
    redelivered: Mapping[str, int]
    killed: Sequence[str] = ()


def report(
    observatory_url: str, box_office: BoxOffice, orders: Sequence[Order], events: Events
) -> LoadReport:
    """Compare the orders with Firestore, the acquirer's book and the Observatory.

    If processes were killed, the spans that they lost are counted, but not described.
    """
    documents = _documents(box_office, "orders", orders)
    # Tickets of other orders may be incomplete, as those that scenarios create.
    tickets = Counter(
        str(ticket.get("order_id")) for ticket in _all(box_office, "tickets").values()
    )
    succeeded: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for charge in box_office.charges():
        if charge["status"] == "succeeded":
            order_id = charge["metadata"].get("order_id", "")
            succeeded[order_id] += 1
            kept[order_id] += not charge.get("refund_id")
    details: list[str] = []
    untried = events.redelivered["untried"]
    sold: list[OrderOutcome] = []
    for order in orders:
        state = documents.get(order.id, {}).get("state", "missing")
        sold.append(
            OrderOutcome(
                *(order.id, order.show_id, order.seats, state),
                *(tickets[order.id], succeeded[order.id], kept[order.id]),
            )
        )
        if sold[-1].is_lost:
            details.append(
                f"order {order.id} is {state}, with {kept[order.id]} charges kept and "
                f"{tickets[order.id]} of {sold[-1].tickets_due} tickets; its trace is "
                f"{order.trace_id}"
            )
    failed = [order.id for order in sold if order.state == "failed"]
    details += [f"order {order_id} failed: {documents[order_id]['reason']}" for order_id in failed]
    charged_twice = [order for order in sold if order.is_charged_twice]
    details += [f"order {order.id} was charged {order.taken} times" for order in charged_twice]

    counted = events.invocations.counts()
    expected = PAGE_SPANS * sum(bool(order.trace_id) for order in orders)
    expected += counted.total() - untried
    journeys = _complete_journeys(observatory_url, orders, expected)
    spans = sum(journey["spans"] for journey in journeys)
    stored = Counter(_owner(row) for row in _counted_rows(journeys))
    if stored.total() != expected and not events.killed:
        details.append(f"the emulator logged {dict(counted)}, {untried} of them handed over")
        details.append(f"the Observatory holds {dict(stored)}")
    for journey in journeys:
        is_covered = not journey["orphans"] and journey["covered"] == journey["spans"]
        if not is_covered and not events.killed:
            details.append(f"trace {journey['trace_id']}: {_uncovered(journey)}")

    seconds = [
        _seconds(documents[order.id])
        for order in orders
        if documents.get(order.id, {}).get("state") in FINAL
    ]
    return LoadReport(
        {
            "orders": len(orders),
            "final": len(seconds),
            "oversold": oversold(sold, {order.show_id: order.stock for order in orders}, {}),
            "double_charged": len(charged_twice),
            "lost": sum(order.is_lost for order in sold),
            "failed": len(failed),
            "killed": len(events.killed),
            "dead_letters": events.redelivered["dead"],
            "coverage": sum(journey["covered"] for journey in journeys) / spans if spans else 0.0,
            "orphans": sum(journey["orphans"] for journey in journeys),
            "spans_expected": expected,
            "spans_stored": stored.total(),
            "p50_s": round(_quantile(seconds, 50), 3),
            "p95_s": round(_quantile(seconds, 95), 3),
        },
        details[:DETAILS_MAX],
    )


def broken(figures: Mapping[str, Any]) -> list[str]:
    """Return a line for each invariant that the figures break.

    A killed process loses the spans that it has not sent, and its restart can outlast an event's
    attempts. Then the sweep resumes the order.
    """
    holds = {
        f"{figures['final']} of {figures['orders']} orders are in a final state": figures["final"]
        == figures["orders"],
        f"{figures['oversold']} seats were sold beyond the stock": not figures["oversold"],
        f"{figures['double_charged']} orders were charged twice": not figures["double_charged"],
        f"{figures['lost']} orders were lost": not figures["lost"],
        f"{figures['failed']} orders were given up": not figures["failed"],
    }
    holds_without_kills = {
        f"{figures['dead_letters']} events were dead-lettered": not figures["dead_letters"],
        f"coverage is {figures['coverage']:.4f}, not 1": figures["coverage"] == 1.0,
        f"{figures['orphans']} spans are orphans": not figures["orphans"],
        f"{figures['spans_stored']} spans are stored, {figures['spans_expected']} were expected": (
            figures["spans_stored"] == figures["spans_expected"]
        ),
    }
    if not figures["killed"]:
        holds |= holds_without_kills
    return [line for line, is_so in holds.items() if not is_so]


def _all(box_office: BoxOffice, collection: str) -> dict[str, dict[str, Any]]:
    rows = box_office.documents.query(collection).raise_for_status().json()
    return {
        row["document"]["name"].rsplit("/", 1)[1]: decode({"mapValue": row["document"]})
        for row in rows
        if "document" in row
    }


def _documents(
    box_office: BoxOffice, collection: str, orders: Iterable[Order]
) -> dict[str, dict[str, Any]]:
    documents = _all(box_office, collection)
    return {order.id: documents[order.id] for order in orders if order.id in documents}


def _complete_journeys(
    observatory_url: str, orders: Sequence[Order], expected: int
) -> list[Journey]:
    """Return the orders' traces; repeat for ARRIVING_SECONDS while spans are missing."""
    deadline = time.monotonic() + ARRIVING_SECONDS
    with Observatory(observatory_url) as observatory, ThreadPoolExecutor(4) as pool:

        def journey_of(order: Order) -> Journey | None:
            try:
                return observatory.trace(order.trace_id)
            except TraceNotFound:
                return None

        traced = [order for order in orders if order.trace_id]
        while True:
            journeys = [journey for journey in pool.map(journey_of, traced) if journey]
            orphans = sum(journey["orphans"] for journey in journeys)
            is_complete = len(list(_counted_rows(journeys))) >= expected and not orphans
            if is_complete or time.monotonic() > deadline:
                return journeys
            time.sleep(1)


def _counted_rows(journeys: Iterable[Journey]) -> Iterable[Row]:
    """Return the spans that `spans_expected` counts: the page's, and one for each invocation.

    If the function did not run, that one is redelivery's.
    """
    return (row for journey in journeys for row in journey["rows"] if _owner(row))


def _owner(row: Row) -> str:
    if row["service"] == "page" and row["name"] in ("buy", "create orders"):
        return "page"
    if row["service"] in FUNCTIONS and row["name"] == row["service"]:
        return row["service"]
    if row["service"] == "redelivery" and row["name"].removeprefix("deliver ") in FUNCTIONS:
        return row["name"].removeprefix("deliver ")
    return ""


def _uncovered(journey: Journey) -> str:
    names = [
        f"{row['service']} · {row['name']}" + (" (orphan)" if row["orphan"] else "")
        for row in journey["rows"]
        if row["orphan"] or not row["covered"]
    ]
    return ", ".join(names[:6])


def _seconds(order: Mapping[str, Any]) -> float:
    """Return the seconds from placed to the order's last state, by Firestore's clock."""
    ended = order["moved_at"][order["state"]]
    took = datetime.fromisoformat(ended) - datetime.fromisoformat(order["placed_at"])
    return took.total_seconds()


def _quantile(values: Sequence[float], percent: int) -> float:
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
