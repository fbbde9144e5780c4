"""Faults of boxoffice/reserve.py."""

from __future__ import annotations

from datetime import datetime

import throughline
from boxoffice import clients, ledger
from boxoffice.order import State
from faults.fault import replaces

# In production nothing ends the loop but a budget alert; here a copy of a copy of a copy does.
GENERATIONS_MAX = 3


@replaces("boxoffice.reserve:record", flag="copies-into-its-own-collection", kind="loop")
def record(order_id: str, outcome: ledger.Outcome) -> None:
    """Keeps a copy of each order in the collection whose trigger it is, and so calls itself."""
    generation = outcome.order.get("generation", 0) + 1
    if not outcome.moved or generation > GENERATIONS_MAX:
        return
    as_placed = ("uid", "show_id", "seats", "card_token", "placed_at")
    copy = {name: outcome.order[name] for name in as_placed}
    clients.firestore().collection(ledger.ORDERS).document(f"{order_id}-copy").set(
        {**copy, "state": "placed", "generation": generation, **throughline.trace_field()}
    )


@replaces("boxoffice.reserve:next_stage_is_due", flag="tells-only-if-it-moved", kind="writes")
def next_stage_is_due(outcome: ledger.Outcome) -> bool:
    """Tells the next stage only in the delivery that moved the order, though that one may fail."""
    return outcome.moved and outcome.state is State.RESERVED


@replaces("boxoffice.reserve:came_after_the_sale", flag="dates-orders-back", kind="clocks")
def came_after_the_sale(order: ledger.Document, show: ledger.Document) -> bool:
    """Goes by when the page says that it wrote the order, however late that came.

    A page without a connection keeps what it writes, for minutes or for hours, and sends the time
    that it wrote unchanged. And any page can write any time.
    """
    ends_at = show.get("sale_ends_at")
    return ends_at is not None and bool(order.get("asked_at", order["placed_at"]) > ends_at)


@replaces("boxoffice.reserve:hold_begins_at", flag="holds-by-the-pages-clock", kind="clocks")
def hold_begins_at(order: ledger.Document, now: datetime) -> datetime:
    """Counts the hold from the time on the buyer's device, whose clock may be hours off.

    Most clocks are right within a second, so that it works when its author tries it.
    """
    begins: datetime = order.get("asked_at", now)
    return begins
