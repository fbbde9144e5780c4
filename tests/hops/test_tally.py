"""The tally of tickets that are out, in the real Firestore, with orders that come at once."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.cloud import firestore

from boxoffice import clients, issue, ledger, refund, tally
from boxoffice.order import State
from tests.addresses import Addresses

ORDERS = 6
SEATS = 2


@pytest.fixture(autouse=True)
def _tally_of_its_own(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """So that what other tests' orders still do is not counted."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", addresses.firestore.removeprefix("http://"))
    client = firestore.Client(project=addresses.project)
    monkeypatch.setattr(clients, "firestore", lambda: client)
    monkeypatch.setattr(tally, "TALLY", f"tally-{secrets.token_hex(4)}")
    yield
    client.close()  # type: ignore[no-untyped-call]


def counted() -> tuple[int, int]:
    """The orders and the tickets, as a reader adds them up."""
    parts = [part.to_dict() or {} for part in clients.firestore().collection(tally.TALLY).get()]
    return sum(part["orders"] for part in parts), sum(part["seats"] for part in parts)


def ticket(order_id: str, meet: Callable[[], object] = lambda: None) -> ledger.Outcome:
    """Issue an order's tickets, as the stage does; `meet` is called when all is read."""

    def decide(order: ledger.Document, _transaction: Any) -> ledger.Move:
        def write(transaction: Any) -> None:
            issue.count_order(transaction, order)
            meet()
            issue.write_tickets(transaction, order_id, order)

        return ledger.Move(State.TICKETED, writes=write)

    return ledger.move_order(order_id, State.TICKETED, decide)


def test_orders_that_come_at_once_are_all_counted_and_none_begins_anew(
    order_in: Callable[..., str], open_show: Callable[..., str]
) -> None:
    """Each for a show of its own; nothing that one reads is written by another."""
    orders = [order_in("paid", seats=SEATS, show_id=open_show(seats=SEATS)) for _ in range(ORDERS)]
    meeting = threading.Barrier(ORDERS)
    attempts: list[None] = []

    def meet() -> None:
        attempts.append(None)
        meeting.wait(timeout=20)

    with ThreadPoolExecutor(ORDERS) as crowd:
        list(crowd.map(lambda order_id: ticket(order_id, meet), orders))
    assert counted() == (ORDERS, ORDERS * SEATS)
    assert len(attempts) == ORDERS


def test_an_order_is_counted_once_and_taken_off_when_it_is_refunded(
    order_in: Callable[..., str],
) -> None:
    """However often its message comes."""
    order_id = order_in("paid", seats=SEATS)
    assert [ticket(order_id).moved for _ in range(2)] == [True, False]
    assert counted() == (1, SEATS)

    def void(order: ledger.Document, _transaction: Any) -> ledger.Move:
        return ledger.Move(
            State.REFUNDED, writes=lambda tx: refund.void_tickets(tx, order_id, order)
        )

    ledger.move_order(order_id, State.REFUNDED, void)
    assert counted() == (0, 0)
