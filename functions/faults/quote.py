"""Faults of boxoffice/quote.py."""

from __future__ import annotations

from array import array
from decimal import Decimal
from functools import cache

from google.cloud.firestore import FieldFilter
from opentelemetry import trace

from boxoffice import clients, ledger
from faults.fault import replaces

PRICE_MAX_CENTS = 300_000
SEATS_MAX = 8


@replaces("boxoffice.quote:seats_left", flag="reads-one-by-one", kind="reads")
def seats_left(show: ledger.Document) -> int:
    """Counts the seats that are left by reading every ticket of the show, one call each."""
    tickets = clients.firestore().collection("tickets")
    of_show = tickets.where(filter=FieldFilter("show_id", "==", show["id"]))
    ids = [ticket.id for ticket in of_show.select([]).get()]
    snapshots = [tickets.document(ticket_id).get() for ticket_id in ids]
    taken = sum(not (snapshot.to_dict() or {}).get("void") for snapshot in snapshots)
    return int(show["seats_total"]) - taken


@replaces("boxoffice.quote:amount_cents", flag="works-out-every-price", kind="instance")
def amount_cents(price_cents: int, seats: int) -> int:
    """Computes every possible price before an instance's first answer.

    A process's cache is lost when the instance stops, and this platform starts and stops instances
    all the time. Most of the prices are never needed, and on each new instance one buyer waits for
    all of them.
    """
    if price_cents > PRICE_MAX_CENTS:
        return price_cents * seats
    return all_amounts()[seats - 1][price_cents - 1]


@cache
def all_amounts() -> tuple[array[int], ...]:
    """Return the amounts in cents, by number of seats and then by price, both from 1."""
    with trace.get_tracer("boxoffice").start_as_current_span("work out every price"):
        return tuple(
            array("q", (int(Decimal(price) * seats) for price in range(1, PRICE_MAX_CENTS + 1)))
            for seats in range(1, SEATS_MAX + 1)
        )
