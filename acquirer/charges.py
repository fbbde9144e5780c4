"""The processor's ledger in SQLite: one charge and one refund per idempotency key."""

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
    """One charge.

    `status` is "pending", "succeeded" or "declined". `request_context` is the trace context of the
    request that created the charge, as HTTP headers. `refund_id` is set once it is refunded.
    """

    id: str
    idempotency_key: str
    amount_cents: int
    currency: str
    token: str
    webhook_url: str
    metadata: dict[str, str]
    request_context: dict[str, str]
    status: str = "pending"
    decline_code: str | None = None
    refund_id: str | None = None
    refund_key: str | None = None

    def public(self) -> dict[str, Any]:
        """Return the fields that the merchant may see."""
        hidden = ("token", "webhook_url", "idempotency_key", "request_context", "refund_key")
        return {key: value for key, value in asdict(self).items() if key not in hidden}


class KeyReused(Exception):
    """Raised when an idempotency key is reused with another amount, currency, card or charge."""


class NotRefundable(Exception):
    """Raised for a charge that did not succeed or is already refunded."""


class Book:
    """The charges, stored in the SQLite file `path`, or in memory if it is None."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS charges (id TEXT PRIMARY KEY, idempotency_key TEXT UNIQUE,"
            " amount_cents INTEGER, currency TEXT, token TEXT, webhook_url TEXT, metadata TEXT,"
            " request_context TEXT, status TEXT, decline_code TEXT, refund_id TEXT,"
            " refund_key TEXT UNIQUE, is_webhook_done INTEGER DEFAULT FALSE)"
        )

    def open_charge(self, charge: Charge) -> tuple[Charge, bool]:
        """Insert a charge, or return the one that already exists under its idempotency key.

        Returns the charge and whether it is new.

        Raises:
            KeyReused: the key belongs to a charge with another amount, currency or card.
        """
        with self._lock, self._db:
            existing = self._one("idempotency_key", charge.idempotency_key)
            if existing is None:
                row = {
                    **asdict(charge),
                    "metadata": json.dumps(charge.metadata),
                    "request_context": json.dumps(charge.request_context),
                }
                names = ", ".join(row)
                placeholders = ", ".join("?" * len(row))
                self._db.execute(
                    f"INSERT INTO charges ({names}) VALUES ({placeholders})",  # noqa: S608
                    list(row.values()),
                )
                return charge, True
        if (existing.amount_cents, existing.currency, existing.token) != (
            charge.amount_cents,
            charge.currency,
            charge.token,
        ):
            raise KeyReused(f"the key {charge.idempotency_key} was used for another charge")
        return existing, False

    def close_charge(self, charge_id: str, status: str, decline_code: str | None) -> Charge:
        """Store a charge's final status and return the charge.

        Raises:
            LookupError: there is no such charge.
        """
        with self._lock, self._db:
            self._db.execute(
                "UPDATE charges SET status = ?, decline_code = ? WHERE id = ?",
                (status, decline_code, charge_id),
            )
            charge = self._one("id", charge_id)
        if charge is None:
            raise LookupError(charge_id)
        return charge

    def mark_webhook_done(self, charge_id: str) -> None:
        """Store that a charge's webhook was delivered, or that all attempts failed."""
        with self._lock, self._db:
            self._db.execute("UPDATE charges SET is_webhook_done = TRUE WHERE id = ?", (charge_id,))

    def unfinished(self) -> list[Charge]:
        """Return the charges that are pending or whose webhook is not done, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM charges WHERE NOT is_webhook_done ORDER BY rowid"
            ).fetchall()
        return [_charge(row) for row in rows]

    def refund(self, charge_id: str, key: str) -> Charge:
        """Refund a charge and return it; repeating the call with the same key changes nothing.

        Raises:
            LookupError: there is no such charge.
            KeyReused: the key belongs to another charge's refund.
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
        """Return every charge, oldest first."""
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
    """Return a new unique id for a charge."""
    return f"ch_{uuid.uuid4().hex[:24]}"


def _charge(row: tuple[Any, ...]) -> Charge:
    id_, key, cents, currency, token, url, metadata, request_context, *ended, _is_webhook_done = row
    return Charge(
        *(id_, key, cents, currency, token, url),
        *(json.loads(metadata), json.loads(request_context), *ended),
    )
