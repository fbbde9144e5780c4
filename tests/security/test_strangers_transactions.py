"""What strangers can lock with a transaction, and what the stages of a sale do about it.

In production a client without a service account can only open optimistic transactions, which lock
nothing. The emulator opens pessimistic ones for everyone, and its locks last until 60 s after the
transaction's last use.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core.exceptions import Aborted
from google.cloud import firestore
from opentelemetry.sdk.trace import TracerProvider

from boxoffice import clients, ledger, order_events, queues, reserve, topics, transactions
from boxoffice.order import State
from cloud.delivery.backoff import Backoff
from stack import paths
from tests.security.forged_requests import ALICE, BOB, NOBODY, token
from tests.security.lone_firestore import PROJECT, LoneFirestore
from tests.security.strangers_transaction import Read, strangers_transaction

RULES = (paths.ROOT / "rules" / "firestore.rules").read_text()

SHOW, ORDER = "shows/night-ferry", "orders/bobs"
DOCUMENTS = {
    SHOW: {"title": "Night Ferry", "price_cents": 2500, "currency": "EUR", "seats_total": 60}
    | {"seats_left": 5, "starts_at": datetime(2030, 1, 1, 20, tzinfo=UTC)},
    ORDER: {"uid": BOB, "show_id": "night-ferry", "seats": 1, "state": "placed"}
    | {"card_token": "tok_0000000000000000_approved"}
    | {"placed_at": datetime(2026, 1, 1, tzinfo=UTC)},
}

#: Who reads what, and the status of that read.
LOCKS: dict[str, tuple[str, Read, int]] = {
    "a signed-out client reads the show": (NOBODY, lambda stranger: stranger.get(SHOW), 200),
    "another buyer is denied the order": (ALICE, lambda stranger: stranger.get(ORDER), 403),
    "another buyer lists orders of their own": (
        ALICE,
        lambda stranger: stranger.query("orders", "uid", ALICE),
        200,
    ),
}
NO_LOCKS: dict[str, tuple[str, Read, int, str]] = {
    "a signed-out client is denied the order": (
        *(NOBODY, lambda stranger: stranger.get(ORDER), 403),
        "readWrite",
    ),
    "another buyer is denied the list of all orders": (
        *(ALICE, lambda stranger: stranger.query("orders", "uid", BOB), 403),
        "readWrite",
    ),
    "a read-only transaction reads the show": (
        *(NOBODY, lambda stranger: stranger.get(SHOW), 200),
        "readOnly",
    ),
}

# How long the emulator keeps a lock after the last use of its transaction, and waits for one.
LOCK_SECONDS, LOCK_TIMEOUT_SECONDS = 60, 2
# The default of Cloud Functions.
FUNCTION_TIMEOUT_SECONDS = 60
# The figure of docs/guide/emulated-or-real.md.
SALE_GOES_ON_WITHIN_SECONDS = 80


@pytest.fixture(autouse=True)
def order(firestore_emulator: LoneFirestore, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Store a placed order and its show; the stages use the emulator, and publish nothing."""
    firestore_emulator.load_rules(RULES)
    firestore_emulator.reset(DOCUMENTS)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator.url.removeprefix("http://"))
    client = firestore.Client(project=PROJECT)
    monkeypatch.setattr(clients, "firestore", lambda: client)
    for module, function in ((topics, "publish"), (queues, "schedule_expiry")):
        monkeypatch.setattr(module, function, lambda *_: None)
    monkeypatch.setattr(order_events, "record", lambda *_, **_by: None)
    yield
    client.close()  # type: ignore[no-untyped-call]


def stored(path: str) -> dict[str, Any]:
    """Return a document, read without a transaction, which waits for no lock."""
    document: dict[str, Any] = clients.firestore().document(path).get().to_dict() or {}
    return document


@pytest.mark.parametrize("lock", LOCKS)
def test_a_stage_gives_up_on_a_locked_document_and_its_next_delivery_goes_on(
    firestore_emulator: LoneFirestore, monkeypatch: pytest.MonkeyPatch, lock: str
) -> None:
    """It ends long before its function's timeout, with the reason on its span."""
    monkeypatch.setattr(transactions, "LOCK_WAIT_SECONDS", 0.5)
    client, read, status = LOCKS[lock]
    tracer = TracerProvider().get_tracer("test")
    with strangers_transaction(firestore_emulator, token(client), read) as stranger:
        assert stranger.statuses == [status]
        began = time.monotonic()
        with tracer.start_as_current_span("reserve") as span:
            with pytest.raises(transactions.Contended, match="locked the documents"):
                reserve.reserve_order("bobs")
            took = time.monotonic() - began
        assert LOCK_TIMEOUT_SECONDS <= took < FUNCTION_TIMEOUT_SECONDS / 2
        assert span.attributes["boxoffice.gave_up"] == "contention"  # type: ignore[attr-defined]
        assert stored(ORDER)["state"] == State.PLACED
        assert stored(SHOW)["seats_left"] == 5
    reserve.reserve_order("bobs")
    assert stored(ORDER)["state"] == State.RESERVED
    assert stored(SHOW)["seats_left"] == 4


def test_a_stage_goes_on_as_soon_as_the_lock_ends(firestore_emulator: LoneFirestore) -> None:
    """The attempt that waits gets the lock; an aborted one is repeated."""
    client, read, _ = LOCKS["a signed-out client reads the show"]
    with ExitStack() as stack:
        stranger = strangers_transaction(firestore_emulator, token(client), read)
        stack.enter_context(stranger)
        release = threading.Timer(LOCK_TIMEOUT_SECONDS + 1, stack.close)
        began = time.monotonic()
        release.start()
        outcome = ledger.move_order("bobs", State.RESERVED, reserve.hold_seats)
        took = time.monotonic() - began
        release.join()
    assert outcome.moved
    assert LOCK_TIMEOUT_SECONDS <= took < LOCK_SECONDS / 2


def test_an_aborted_read_is_repeated() -> None:
    """The client repeats a transaction whose commit is aborted, but not one whose read is."""
    errors = [Aborted("Transaction lock timeout.")]  # type: ignore[no-untyped-call]
    reference = clients.firestore().document(SHOW)

    def body(transaction: firestore.Transaction) -> int:
        if errors:
            raise errors.pop()
        seats_left: int = reference.get(transaction=transaction).get("seats_left")
        return seats_left

    assert transactions.run(body) == 5
    assert not errors


@pytest.mark.long
def test_a_sale_goes_on_within_the_stated_time_of_an_abandoned_lock(
    firestore_emulator: LoneFirestore,
) -> None:
    """A stranger locks the show, another the order, and neither returns. Reserve is delivered as
    often and at such distances as on the local stack, and succeeds before the deliveries end."""
    backoff, delivery = Backoff(), 0
    with ExitStack() as stack:
        for name in ("a signed-out client reads the show", "another buyer is denied the order"):
            client, read, _ = LOCKS[name]
            stranger = strangers_transaction(firestore_emulator, token(client), read)
            stack.enter_context(stranger)
        began = time.monotonic()
        while True:
            delivery += 1
            delivered = time.monotonic()
            try:
                reserve.reserve_order("bobs")
                break
            except transactions.Contended:
                took = time.monotonic() - delivered
                assert took < FUNCTION_TIMEOUT_SECONDS
            gap = backoff.gap_seconds(delivery)
            assert gap is not None, "the event is dead-lettered"
            time.sleep(gap)
        took = time.monotonic() - began
    assert stored(ORDER)["state"] == State.RESERVED
    assert LOCK_SECONDS <= took < SALE_GOES_ON_WITHIN_SECONDS


@pytest.mark.long
@pytest.mark.parametrize("read", NO_LOCKS)
def test_a_denial_by_the_client_alone_and_a_read_only_transaction_lock_nothing(
    firestore_emulator: LoneFirestore, read: str
) -> None:
    """The rules deny these reads before the emulator reads a document."""
    client, strangers_read, status, mode = NO_LOCKS[read]
    stranger = strangers_transaction(firestore_emulator, token(client), strangers_read, mode)
    with stranger as opened:
        assert opened.statuses == [status]
        began = time.monotonic()
        reserve.reserve_order("bobs")
        assert time.monotonic() - began < LOCK_TIMEOUT_SECONDS
    assert stored(ORDER)["state"] == State.RESERVED
