"""Tests of concurrent moves of one order, with the Firestore emulator."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.cloud import firestore

from boxoffice import clients, ledger, transactions
from boxoffice.order import State
from tests.addresses import Addresses

DELIVERIES = 6
# The usual distance of deliveries to separate processes; without it, one of them soon commits.
STAGGER_SECONDS = 0.01


@pytest.fixture(autouse=True)
def _client(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", addresses.firestore.removeprefix("http://"))
    client = firestore.Client(project=addresses.project)
    monkeypatch.setattr(clients, "firestore", lambda: client)
    # However slow this machine is, no delivery gives up.
    monkeypatch.setattr(transactions, "LOCK_WAIT_SECONDS", 120.0)
    yield
    client.close()  # type: ignore[no-untyped-call]


def test_concurrent_deliveries_do_not_abort_each_other_repeatedly(
    order_in: Callable[..., str],
) -> None:
    """All deliveries read the order before one writes it. Firestore makes them wait for each
    other's locks and aborts them together. If they retried at once, they would conflict again."""
    order_id = order_in("paid", uid="somebody")
    barrier = threading.Barrier(DELIVERIES)
    attempts: list[None] = []
    delivery = threading.local()

    def decide(_order: ledger.Document, _transaction: Any) -> ledger.Move:
        attempts.append(None)
        if not getattr(delivery, "has_waited", False):
            delivery.has_waited = True
            place = barrier.wait(timeout=20)
            time.sleep(place * STAGGER_SECONDS)
        return ledger.Move(State.TICKETED)

    with ThreadPoolExecutor(DELIVERIES) as pool:
        moves = [
            pool.submit(ledger.move_order, order_id, State.TICKETED, decide)
            for _ in range(DELIVERIES)
        ]
        outcomes = [move.result() for move in moves]
    assert [outcome.moved for outcome in outcomes].count(True) == 1
    assert {outcome.state for outcome in outcomes} == {State.TICKETED}
    # The conflict costs one round of aborts; without jitter there are up to seven.
    assert len(attempts) <= 4 * DELIVERIES
