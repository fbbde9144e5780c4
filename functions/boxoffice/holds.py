"""Holds: counts the orders that are not paid for yet, and limits what they keep from other buyers.

Placing an order costs nothing, so without limits a few unpaid orders could take every seat off
sale. There are three limits:

- A buyer may have a limited number of unpaid orders, and a limited number of seats in them.
- The unpaid orders of a show hold a limited share of its seats. Further orders are accepted without
  a hold: they are charged first, and take their seats when they are paid for. As long as payments
  come, no more are accepted than there are seats.
- If unpaid orders speak for all seats that are left, and some fail while none is paid for within a
  few seconds, further orders are accepted all the same. So only orders that are paid for keep out a
  buyer who pays. If there are too many of these, the last ones get their money back.

The counters are documents that only the functions access. An order records what it was counted
with, until it is subtracted: exactly once, however the order ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from google.cloud import firestore
from opentelemetry import trace

import settings
from boxoffice import clients
from boxoffice.order import UNPAID, Rejection, State

# Without a failure, payments may just be slow: unpaid orders stall after this many times as long.
STALL_FACTOR_WITHOUT_FAILURE = 4

BUYERS = "buyer_holds"
SHOWS = "show_holds"


@dataclass(frozen=True)
class Limits:
    """The most orders and seats of a buyer, the largest share of a show, and the longest stall."""

    orders: int
    seats: int
    share: float
    stall_seconds: float


class Admission(StrEnum):
    """How an order is accepted."""

    HELD = "held"
    UNHELD = "unheld"
    OVERBOOKED = "overbooked"


@dataclass(frozen=True)
class Counters:
    """The unpaid orders of one buyer, and those of one show.

    Attributes:
        orders: number of the buyer's unpaid orders.
        seats: number of their seats.
        held: seats that the show's unpaid orders hold.
        unheld: seats of its unpaid orders that were accepted without a hold.
        progress_at: when one of these orders was last paid for, or else the first was accepted.
        failed_at: when one of them last ended without being paid for.
    """

    orders: int = 0
    seats: int = 0
    held: int = 0
    unheld: int = 0
    progress_at: datetime | None = None
    failed_at: datetime | None = None

    def rejection(self, asked: int, limits: Limits) -> Mapping[str, Any] | None:
        """Return why the buyer may not order `asked` more seats, as fields of the order, or None.

        `limit` is the most that the buyer may have, and `held` what they have already.
        """
        if self.orders >= limits.orders:
            reason, limit, held = Rejection.TOO_MANY_ORDERS, limits.orders, self.orders
        elif self.seats + asked > limits.seats:
            reason, limit, held = Rejection.TOO_MANY_SEATS, limits.seats, self.seats
        else:
            return None
        return {"reason": reason, "limit": limit, "held": held}

    def admission(
        self, asked: int, seats_left: int, seats_total: int, now: datetime, limits: Limits
    ) -> Admission | None:
        """Return how to accept an order of `asked` seats, or None if unpaid orders speak for them.

        `seats_left` is the show's stock, at least `asked`.
        """
        if asked <= seats_left - self.unheld:
            fits = self.held + asked <= show_limit(seats_total, limits)
            return Admission.HELD if fits else Admission.UNHELD
        return Admission.OVERBOOKED if self.is_stalled(now, limits) else None

    def is_stalled(self, now: datetime, limits: Limits) -> bool:
        """Return whether none of the show's unpaid orders has been paid for in too long."""
        if self.progress_at is None:
            return False
        has_failure = self.failed_at is not None and self.failed_at > self.progress_at
        factor = 1 if has_failure else STALL_FACTOR_WITHOUT_FAILURE
        return now - self.progress_at >= timedelta(seconds=limits.stall_seconds * factor)


def show_limit(seats_total: int, limits: Limits) -> int:
    """Return how many seats of a show unpaid orders may hold."""
    return int(seats_total * limits.share)


def limits() -> Limits:
    """Return the configured limits."""
    return Limits(
        settings.unpaid_orders_max(),
        settings.unpaid_seats_max(),
        settings.unpaid_share_max(),
        settings.unpaid_stall_seconds(),
    )


def read(order: Mapping[str, Any], transaction: firestore.Transaction) -> Counters:
    """Return the counters that concern an order."""
    buyer, show = _buyer(order), _show(order)
    counters = {
        snapshot.reference.path: snapshot.to_dict() or {}
        for snapshot in transaction.get_all([buyer, show])
    }
    return Counters(**counters[buyer.path], **counters[show.path])


def admit(
    order: Mapping[str, Any], show: Mapping[str, Any], counters: Counters
) -> Admission | Mapping[str, Any] | None:
    """Return how to accept an order, why its buyer may not have it (as fields of the order), or
    None if unpaid orders speak for all seats left. Sets the numbers on the span.

    `show` has at least as many seats left as the order asks for.
    """
    asked, seats_total, bounds = order["seats"], show["seats_total"], limits()
    span = trace.get_current_span()
    span.set_attributes(
        {
            "boxoffice.buyer.unpaid_orders": counters.orders,
            "boxoffice.buyer.unpaid_orders_max": bounds.orders,
            "boxoffice.buyer.unpaid_seats": counters.seats,
            "boxoffice.buyer.unpaid_seats_max": bounds.seats,
            "boxoffice.show.held_seats": counters.held,
            "boxoffice.show.held_seats_max": show_limit(seats_total, bounds),
            "boxoffice.show.unheld_seats": counters.unheld,
        }
    )
    if rejection := counters.rejection(asked, bounds):
        return rejection
    # This server's clock may be behind Firestore's.
    now = max(datetime.now(UTC), order["placed_at"])
    admission = counters.admission(asked, show["seats_left"], seats_total, now, bounds)
    span.set_attribute("boxoffice.order.admission", admission or "none")
    return admission


def counted_with(order: Mapping[str, Any], admission: Admission) -> Mapping[str, Any]:
    """Return what an accepted order counts with; the order keeps it in `counted`.

    It repeats fields of the order, so that an order which is changed by hand is subtracted as it
    was added.
    """
    seats = order["seats"]
    return {
        "uid": order["uid"],
        "show_id": order["show_id"],
        "seats": seats,
        "held": seats if admission is Admission.HELD else 0,
        "unheld": seats if admission is Admission.UNHELD else 0,
    }


def count(
    transaction: firestore.Transaction, counted: Mapping[str, Any], counters: Counters
) -> None:
    """Count an accepted order; `counters` are those that its transaction has read."""
    is_first = not counters.held and not counters.unheld
    _add(transaction, counted, 1, "progress_at" if is_first else None)


def stop_counting(
    transaction: firestore.Transaction, order: Mapping[str, Any], to: State
) -> Mapping[str, object]:
    """Subtract an order that is paid for or over when it moves to `to`.

    Returns the changes to the order that go with it.
    """
    counted = order.get("counted")
    if counted is None or to in UNPAID:
        return {}
    _add(transaction, counted, -1, "progress_at" if to is State.PAID else "failed_at")
    return {"counted": firestore.DELETE_FIELD}


def _add(
    transaction: firestore.Transaction, counted: Mapping[str, Any], sign: int, timestamp: str | None
) -> None:
    """Add an order to the counters, or subtract it, and set a timestamp of its show to now.

    Increments read nothing, so writers of the same counter wait for each other only while they
    commit.
    """
    of_buyer = {
        "orders": firestore.Increment(sign),
        "seats": firestore.Increment(sign * counted["seats"]),
    }
    transaction.set(_buyer(counted), of_buyer, merge=True)
    held, unheld = counted["held"], counted["unheld"]
    if held or unheld:
        of_show = {
            "held": firestore.Increment(sign * held),
            "unheld": firestore.Increment(sign * unheld),
            **({timestamp: firestore.SERVER_TIMESTAMP} if timestamp else {}),
        }
        transaction.set(_show(counted), of_show, merge=True)


def _buyer(order: Mapping[str, Any]) -> firestore.DocumentReference:
    return clients.firestore().collection(BUYERS).document(order["uid"])


def _show(order: Mapping[str, Any]) -> firestore.DocumentReference:
    return clients.firestore().collection(SHOWS).document(order["show_id"])
