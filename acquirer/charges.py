"""The processor's own book, in SQLite: one charge, and one refund, per idempotency key."""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Charge:
    """One charge. `status` is "pending", "succeeded" or "declined"; `refund_id` says whether the
    money went back."""

    id: str
    idempotency_key: str
    amount_cents: int
    currency: str
    token: str
    webhook_url: str
    metadata: dict[str, str]
    status: str = "pending"
    decline_code: str | None = None
    refund_id: str | None = None
    refund_key: str | None = None

    def public(self) -> dict[str, Any]:
        """What the merchant may see of it."""
        hidden = ("token", "webhook_url", "idempotency_key", "refund_key")
        return {key: value for key, value in asdict(self).items() if key not in hidden}


class KeyReused(Exception):
    """Raised when an idempotency key comes again with a different amount, currency or card."""


class NotRefundable(Exception):
    """Raised for the refund of a charge that took no money, or gave it back already."""


class Book:
    """Charges, kept in the SQLite file `path`, or in memory where it is None."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS charges (id TEXT PRIMARY KEY, idempotency_key TEXT UNIQUE,"
            " amount_cents INTEGER, currency TEXT, token TEXT, webhook_url TEXT, metadata TEXT,"
            " status TEXT, decline_code TEXT, refund_id TEXT, refund_key TEXT UNIQUE)"
        )

    def open_charge(self, wanted: Charge) -> tuple[Charge, bool]:
        """Enter `wanted`, or find the charge already entered under its key.

        Returns the charge and whether it is new.

        Raises:
            KeyReused: the key stands for another charge.
        """
        with self._lock, self._db:
            found = self._one("idempotency_key", wanted.idempotency_key)
            if found is None:
                row = {**asdict(wanted), "metadata": json.dumps(wanted.metadata)}
                names = ", ".join(row)
                marks = ", ".join("?" * len(row))
                self._db.execute(
                    f"INSERT INTO charges ({names}) VALUES ({marks})",  # noqa: S608
                    list(row.values()),
                )
                return wanted, True
        if (found.amount_cents, found.currency, found.token) != (
            wanted.amount_cents,
            wanted.currency,
            wanted.token,
        ):
            raise KeyReused(f"the key {wanted.idempotency_key} was used for another charge")
        return found, False

    def close_charge(self, charge_id: str, status: str, decline_code: str | None) -> Charge:
        """Enter how a charge ended, and return it."""
        with self._lock, self._db:
            self._db.execute(
                "UPDATE charges SET status = ?, decline_code = ? WHERE id = ?",
                (status, decline_code, charge_id),
            )
            charge = self._one("id", charge_id)
        if charge is None:
            raise LookupError(charge_id)
        return charge

    def refund(self, charge_id: str, key: str) -> Charge:
        """Give a charge's money back, or find that the same key did already; returns the charge.

        Raises:
            LookupError: there is no such charge.
            KeyReused: the key stands for another charge's refund.
            NotRefundable: the charge did not succeed, or was refunded under another key.
        """
        with self._lock, self._db:
            charge, under_key = self._one("id", charge_id), self._one("refund_key", key)
            if charge is None:
                raise LookupError(charge_id)
            if under_key is not None and under_key.id != charge.id:
                raise KeyReused(f"the key {key} was used for another refund")
            if under_key is not None:
                return under_key
            if charge.status != "succeeded" or charge.refund_id is not None:
                raise NotRefundable(
                    f"the charge is {'refunded' if charge.refund_id else charge.status}"
                )
            refund_id = f"re_{uuid.uuid4().hex[:24]}"
            self._db.execute(
                "UPDATE charges SET refund_id = ?, refund_key = ? WHERE id = ?",
                (refund_id, key, charge_id),
            )
        return replace(charge, refund_id=refund_id, refund_key=key)

    def all_charges(self) -> list[Charge]:
        """Every charge, oldest first."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM charges ORDER BY rowid").fetchall()
        return [_charge(row) for row in rows]

    def _one(self, column: str, value: str) -> Charge | None:
        row = self._db.execute(
            f"SELECT * FROM charges WHERE {column} = ?",  # noqa: S608
            (value,),
        ).fetchone()
        return _charge(row) if row else None


def new_charge_id() -> str:
    """An id that no other charge has."""
    return f"ch_{uuid.uuid4().hex[:24]}"


def _charge(row: tuple[Any, ...]) -> Charge:
    id_, key, cents, currency, token, url, metadata, *ended = row
    return Charge(id_, key, cents, currency, token, url, json.loads(metadata), *ended)
