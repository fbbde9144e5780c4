"""The processor's ledger: one charge per idempotency key."""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from charges import Book, Charge, KeyReused, new_charge_id

TOKEN = "tok_0000000000000000_approved"


def new_charge(key: str = "order-1", **changes: Any) -> Charge:
    """Return a charge that is not in a book yet."""
    charge = Charge(
        id=new_charge_id(),
        idempotency_key=key,
        amount_cents=1000,
        currency="EUR",
        token=TOKEN,
        webhook_url="http://127.0.0.1:1/settle",
        metadata={"order_id": "7", "traceparent": "00-…"},
        request_context={"traceparent": "00-…"},
    )
    return dataclasses.replace(charge, **changes)


@contextmanager
def open_book(path: Path | None = None) -> Iterator[Book]:
    """Open a book and close it after the block, as the end of its process would."""
    book = Book(path)
    try:
        yield book
    finally:
        book._db.close()


@pytest.fixture
def book() -> Iterator[Book]:
    """An empty book in memory."""
    with open_book() as empty:
        yield empty


def test_a_charge_is_stored_with_its_metadata_and_trace_context(book: Book) -> None:
    charge = new_charge()
    assert book.open_charge(charge) == (charge, True)
    assert book.all_charges() == [charge]


def test_a_repeated_key_returns_the_first_charge(book: Book) -> None:
    """The second request's webhook and metadata may differ."""
    first, _ = book.open_charge(new_charge())
    again = new_charge(webhook_url="http://127.0.0.1:2/other", metadata={})
    assert book.open_charge(again) == (first, False)
    assert book.all_charges() == [first]


def test_a_repeated_key_returns_the_charges_final_status(book: Book) -> None:
    """A merchant that lost a response repeats the request to learn the result."""
    first, _ = book.open_charge(new_charge())
    ended = book.close_charge(first.id, "declined", "card_declined")
    assert book.open_charge(new_charge()) == (ended, False)
    assert (ended.status, ended.decline_code) == ("declined", "card_declined")


@pytest.mark.parametrize(
    "changes",
    [{"amount_cents": 1001}, {"currency": "USD"}, {"token": "tok_1111111111111111_approved"}],
    ids=str,
)
def test_a_key_cannot_be_reused_for_another_charge(book: Book, changes: dict[str, Any]) -> None:
    first, _ = book.open_charge(new_charge())
    with pytest.raises(KeyReused, match="order-1"):
        book.open_charge(new_charge(**changes))
    assert book.all_charges() == [first]


def test_concurrent_requests_with_one_key_create_one_charge(tmp_path: Path) -> None:
    """One thread creates the charge, and the others get the same one."""
    threads_count, keys = 12, [f"order-{number}" for number in range(20)]
    barrier = threading.Barrier(threads_count)
    results: list[tuple[Charge, bool]] = []
    with open_book(tmp_path / "book.sqlite") as book:

        def open_all() -> None:
            for key in keys:
                barrier.wait(timeout=20)
                results.append(book.open_charge(new_charge(key)))

        threads = [threading.Thread(target=open_all) for _ in range(threads_count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stored = book.all_charges()
    assert [charge.idempotency_key for charge in stored] == keys
    assert sum(is_new for _, is_new in results) == len(keys)
    assert {charge.id for charge, _ in results} == {charge.id for charge in stored}
    assert len(results) == threads_count * len(keys)


def test_charges_in_a_file_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    with open_book(path) as book:
        charge, _ = book.open_charge(new_charge())
        ended = book.close_charge(charge.id, "succeeded", None)
    with open_book(path) as book:
        assert book.all_charges() == [ended]
        assert book.open_charge(new_charge()) == (ended, False)


def test_a_charge_is_committed_before_the_call_returns(tmp_path: Path) -> None:
    """A process that is killed after its response loses nothing."""
    path = tmp_path / "book.sqlite"
    with open_book(path) as book:
        book.open_charge(new_charge())
        other = sqlite3.connect(path)
        assert other.execute("SELECT count(*) FROM charges").fetchone() == (1,)
        other.close()


def test_a_charge_is_unfinished_until_its_webhook_is_done(tmp_path: Path) -> None:
    """Pending charges and undelivered webhooks are both resumed after a crash."""
    path = tmp_path / "book.sqlite"
    with open_book(path) as book:
        pending, _ = book.open_charge(new_charge("pending"))
        ended, _ = book.open_charge(new_charge("ended"))
        done, _ = book.open_charge(new_charge("done"))
        ended = book.close_charge(ended.id, "succeeded", None)
        book.close_charge(done.id, "succeeded", None)
        book.mark_webhook_done(done.id)
    with open_book(path) as book:
        assert book.unfinished() == [pending, ended]


def test_the_merchants_view_of_a_charge_holds_no_secret(book: Book) -> None:
    """It lacks the card's token, the webhook's URL, the idempotency key and the trace context."""
    charge, _ = book.open_charge(new_charge())
    assert charge.public() == {
        "id": charge.id,
        "amount_cents": 1000,
        "currency": "EUR",
        "metadata": {"order_id": "7", "traceparent": "00-…"},
        "status": "pending",
        "decline_code": None,
        "refund_id": None,
    }


def test_closing_an_unknown_charge_raises_an_error_with_its_id(book: Book) -> None:
    with pytest.raises(LookupError, match="ch_unknown"):
        book.close_charge("ch_unknown", "succeeded", None)
