"""Faults of boxoffice/reserve.py."""

from __future__ import annotations

from datetime import datetime

import throughline
from boxoffice import clients, ledger
from boxoffice.order import State
from faults.fault import replaces

# In production only a budget alert would end the loop; here it ends at this many copies.
GENERATIONS_MAX = 3


@replaces("boxoffice.reserve:record", flag="copies-into-its-own-collection", kind="loop")
def record(order_id: str, outcome: ledger.Outcome) -> None:
    """Stores a copy of each order in the collection that triggers it, and so triggers itself."""
    generation = outcome.order.get("generation", 0) + 1
    if not outcome.moved or generation > GENERATIONS_MAX:
        return
    as_placed = ("uid", "show_id", "seats", "card_token", "placed_at")
    copy = {name: outcome.order[name] for name in as_placed}
    clients.firestore().collection(ledger.ORDERS).document(f"{order_id}-copy").set(
        {**copy, "state": "placed", "generation": generation, **throughline.trace_field()}
    )


@replaces("boxoffice.reserve:must_request_charge", flag="tells-only-if-it-moved", kind="writes")
def must_request_charge(outcome: ledger.Outcome) -> bool:
    """Requests the charge only in the delivery that reserved the order; no later one repeats it."""
    return outcome.moved and outcome.state is State.RESERVED


@replaces("boxoffice.reserve:is_after_sale", flag="dates-orders-back", kind="clocks")
def is_after_sale(order: ledger.Document, show: ledger.Document) -> bool:
    """Trusts the time at which the page says that it wrote the order, however late it arrives.

    A page without a connection queues its writes for minutes or hours and then sends them with
    their original time. A modified page can send any time at all.
    """
    ends_at = show.get("sale_ends_at")
    return ends_at is not None and bool(order.get("asked_at", order["placed_at"]) > ends_at)


@replaces("boxoffice.reserve:hold_begins_at", flag="holds-by-the-pages-clock", kind="clocks")
def hold_begins_at(order: ledger.Document, now: datetime) -> datetime:
    """Counts the hold from the time on the buyer's device, whose clock may be hours off.

    Most clocks are right within a second, so the bug does not show in a manual test.
    """
    begins: datetime = order.get("asked_at", now)
    return begins
