"""Tests of the tally of issued tickets with concurrent orders, with the Firestore emulator."""

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
def _own_tally(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Uses a separate collection, so that orders of other tests are not counted."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", addresses.firestore.removeprefix("http://"))
    client = firestore.Client(project=addresses.project)
    monkeypatch.setattr(clients, "firestore", lambda: client)
    monkeypatch.setattr(tally, "TALLY", f"tally-{secrets.token_hex(4)}")
    yield
    client.close()  # type: ignore[no-untyped-call]


def tally_sums() -> tuple[int, int]:
    """Return the sums of orders and of seats over all documents of the tally."""
    shards = [shard.to_dict() or {} for shard in clients.firestore().collection(tally.TALLY).get()]
    return sum(shard["orders"] for shard in shards), sum(shard["seats"] for shard in shards)


def ticket(order_id: str, after_reads: Callable[[], object] = lambda: None) -> ledger.Outcome:
    """Issue an order's tickets as the stage does; call `after_reads` after the last read."""

    def decide(order: ledger.Document, _transaction: Any) -> ledger.Move:
        def write(transaction: Any) -> None:
            issue.count_order(transaction, order)
            after_reads()
            issue.write_tickets(transaction, order_id, order)

        return ledger.Move(State.TICKETED, writes=write)

    return ledger.move_order(order_id, State.TICKETED, decide)


def test_concurrent_orders_are_all_counted_without_a_retry(
    order_in: Callable[..., str], open_show: Callable[..., str]
) -> None:
    """The orders are for different shows; none writes what another one reads."""
    orders = [order_in("paid", seats=SEATS, show_id=open_show(seats=SEATS)) for _ in range(ORDERS)]
    barrier = threading.Barrier(ORDERS)
    attempts: list[None] = []

    def wait_for_others() -> None:
        attempts.append(None)
        barrier.wait(timeout=20)

    with ThreadPoolExecutor(ORDERS) as pool:
        list(pool.map(lambda order_id: ticket(order_id, wait_for_others), orders))
    assert tally_sums() == (ORDERS, ORDERS * SEATS)
    assert len(attempts) == ORDERS


def test_an_order_is_counted_once_and_subtracted_when_it_is_refunded(
    order_in: Callable[..., str],
) -> None:
    """It is counted once even if its message is delivered twice."""
    order_id = order_in("paid", seats=SEATS)
    assert [ticket(order_id).moved for _ in range(2)] == [True, False]
    assert tally_sums() == (1, SEATS)

    def void(order: ledger.Document, _transaction: Any) -> ledger.Move:
        return ledger.Move(
            State.REFUNDED, writes=lambda tx: refund.void_tickets(tx, order_id, order)
        )

    ledger.move_order(order_id, State.REFUNDED, void)
    assert tally_sums() == (0, 0)
