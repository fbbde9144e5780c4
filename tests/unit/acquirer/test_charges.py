"""The book of charges: one charge per idempotency key."""

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


def wanted(key: str = "order-1", **changes: Any) -> Charge:
    """A charge that somebody asks for."""
    charge = Charge(
        id=new_charge_id(),
        idempotency_key=key,
        amount_cents=1000,
        currency="EUR",
        token=TOKEN,
        webhook_url="http://127.0.0.1:1/settle",
        metadata={"order_id": "7", "traceparent": "00-…"},
        asked_in={"traceparent": "00-…"},
    )
    return dataclasses.replace(charge, **changes)


@contextmanager
def opened(path: Path | None = None) -> Iterator[Book]:
    """A book, closed after use as the end of its process would."""
    book = Book(path)
    try:
        yield book
    finally:
        book._db.close()


@pytest.fixture
def book() -> Iterator[Book]:
    """An empty book in memory."""
    with opened() as empty:
        yield empty


def test_a_charge_is_kept_as_it_was_asked_for(book: Book) -> None:
    """Metadata and trace context included."""
    charge = wanted()
    assert book.open_charge(charge) == (charge, True)
    assert book.all_charges() == [charge]


def test_a_repeated_key_is_the_same_charge(book: Book) -> None:
    """However the second request's id, webhook or metadata differ."""
    first, _ = book.open_charge(wanted())
    again = wanted(webhook_url="http://127.0.0.1:2/other", metadata={})
    assert book.open_charge(again) == (first, False)
    assert book.all_charges() == [first]


def test_a_repeated_key_tells_how_the_charge_ended(book: Book) -> None:
    """Asking again is how a merchant finds out what became of a lost answer."""
    first, _ = book.open_charge(wanted())
    ended = book.close_charge(first.id, "declined", "card_declined")
    assert book.open_charge(wanted()) == (ended, False)
    assert (ended.status, ended.decline_code) == ("declined", "card_declined")


@pytest.mark.parametrize(
    "changes",
    [{"amount_cents": 1001}, {"currency": "USD"}, {"token": "tok_1111111111111111_approved"}],
    ids=str,
)
def test_a_key_is_not_reused_for_another_charge(book: Book, changes: dict[str, Any]) -> None:
    """Another amount, currency or card under the same key is the merchant's mistake."""
    first, _ = book.open_charge(wanted())
    with pytest.raises(KeyReused, match="order-1"):
        book.open_charge(wanted(**changes))
    assert book.all_charges() == [first]


def test_one_key_is_one_charge_however_many_ask_at_once(tmp_path: Path) -> None:
    """Of many threads one opens the charge, and the others are given that one."""
    threads_count, keys = 12, [f"order-{number}" for number in range(20)]
    together = threading.Barrier(threads_count)
    answers: list[tuple[Charge, bool]] = []
    with opened(tmp_path / "book.sqlite") as book:

        def ask() -> None:
            for key in keys:
                together.wait(timeout=20)
                answers.append(book.open_charge(wanted(key)))

        threads = [threading.Thread(target=ask) for _ in range(threads_count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        entered = book.all_charges()
    assert [charge.idempotency_key for charge in entered] == keys
    assert sum(is_new for _, is_new in answers) == len(keys)
    assert {charge.id for charge, _ in answers} == {charge.id for charge in entered}
    assert len(answers) == threads_count * len(keys)


def test_a_book_in_a_file_outlives_its_process(tmp_path: Path) -> None:
    """What was entered is there when the file is opened again."""
    path = tmp_path / "book.sqlite"
    with opened(path) as book:
        charge, _ = book.open_charge(wanted())
        ended = book.close_charge(charge.id, "succeeded", None)
    with opened(path) as book:
        assert book.all_charges() == [ended]
        assert book.open_charge(wanted()) == (ended, False)


def test_an_entry_is_in_the_file_at_once(tmp_path: Path) -> None:
    """A process that is killed a moment later has lost nothing that it answered for."""
    path = tmp_path / "book.sqlite"
    with opened(path) as book:
        book.open_charge(wanted())
        other = sqlite3.connect(path)
        assert other.execute("SELECT count(*) FROM charges").fetchone() == (1,)
        other.close()


def test_a_charge_is_unfinished_until_its_merchant_was_told(tmp_path: Path) -> None:
    """Pending, or ended but not told: either has to be taken up after a crash."""
    path = tmp_path / "book.sqlite"
    with opened(path) as book:
        pending, _ = book.open_charge(wanted("pending"))
        ended, _ = book.open_charge(wanted("ended"))
        told, _ = book.open_charge(wanted("told"))
        ended = book.close_charge(ended.id, "succeeded", None)
        book.close_charge(told.id, "succeeded", None)
        book.note_told(told.id)
    with opened(path) as book:
        assert book.unfinished() == [pending, ended]


def test_what_the_merchant_sees_holds_no_secret(book: Book) -> None:
    """Not the card's token, not the address called back, not the key, not our tracing."""
    charge, _ = book.open_charge(wanted())
    assert charge.public() == {
        "id": charge.id,
        "amount_cents": 1000,
        "currency": "EUR",
        "metadata": {"order_id": "7", "traceparent": "00-…"},
        "status": "pending",
        "decline_code": None,
        "refund_id": None,
    }


def test_closing_a_charge_that_is_not_there_is_an_error(book: Book) -> None:
    """It names the charge."""
    with pytest.raises(LookupError, match="ch_unknown"):
        book.close_charge("ch_unknown", "succeeded", None)
