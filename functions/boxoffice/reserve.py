"""Reserve: holds the seats of an order that was just placed, or rejects it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from firebase_functions import firestore_fn
from google.cloud import firestore
from opentelemetry import trace

import settings
import throughline
from boxoffice import clients, ledger, order_events, queues, topics
from boxoffice.order import State
from boxoffice.retry import retry_on_failure


@retry_on_failure
@firestore_fn.on_document_created(document="orders/{order_id}")
@throughline.on_document
def reserve(event: firestore_fn.Event[Any]) -> None:
    """Hold the seats of the order that was placed."""
    placed = event.data.to_dict() or {}
    throughline.correct_baggage({"show.id": placed.get("show_id")})
    hold(event.params["order_id"])


def hold(order_id: str) -> None:
    """Hold the seats, then tell the next stage and, because nobody waits for that, have the hold
    end some day; where the seats are held already, tell them again."""
    outcome = ledger.advance(order_id, State.RESERVED, hold_seats)
    if next_stage_is_due(outcome):
        topics.tell(topics.ORDER_RESERVED, order_id)
        queues.expire_at(order_id, outcome.order["hold_until"])
    record(order_id, outcome)


def next_stage_is_due(outcome: ledger.Outcome) -> bool:
    """Tell whether charge has to hear of the order: while it is reserved, in every delivery.

    The delivery that moved the order may have failed before it told the next stage.
    """
    return outcome.state is State.RESERVED


def record(order_id: str, outcome: ledger.Outcome) -> None:
    """Publish what came of the order, for audit, which keeps it in a collection of its own."""
    order_events.record(order_id, outcome, by="reserve")


def hold_seats(order: ledger.Document, transaction: firestore.Transaction) -> ledger.Move:
    """Take the order's seats off the show's stock, or say why not."""
    shows = clients.firestore().collection(ledger.SHOWS)
    show_reference = shows.document(order["show_id"])
    show = show_reference.get(transaction=transaction).to_dict()
    if show is None:
        return ledger.Move(State.REJECTED, {"reason": "unknown_show"})
    note_clocks(order, show)
    if came_after_the_sale(order, show):
        return ledger.Move(State.REJECTED, {"reason": "sale_over"})
    if show["seats_left"] < order["seats"]:
        return ledger.Move(State.REJECTED, {"reason": "sold_out"})
    seats_left = show["seats_left"] - order["seats"]
    return ledger.Move(
        State.RESERVED,
        {
            "amount_cents": show["price_cents"] * order["seats"],
            "currency": show["currency"],
            "hold_until": hold_until(order),
        },
        lambda tx: tx.update(show_reference, {"seats_left": seats_left}),
    )


def note_clocks(order: ledger.Document, show: ledger.Document) -> None:
    """Put on the span how long before Firestore stored the order the page wrote it, by the page's
    clock, and how long after the end of the sale it was stored.

    The first is how long an order waited for a connection, or how far the page's clock is off.
    """
    span = trace.get_current_span()
    if asked_at := order.get("asked_at"):
        took = (order["placed_at"] - asked_at).total_seconds()
        span.set_attribute("boxoffice.order.asked_before_seconds", took)
    if ends_at := show.get("sale_ends_at"):
        over = (order["placed_at"] - ends_at).total_seconds()
        span.set_attribute("boxoffice.sale.over_seconds", over)


def came_after_the_sale(order: ledger.Document, show: ledger.Document) -> bool:
    """Tell whether the show's sale, if it ends at all, was over when Firestore stored the order."""
    ends_at = show.get("sale_ends_at")
    return ends_at is not None and bool(order["placed_at"] > ends_at)


def hold_until(order: ledger.Document) -> datetime:
    """Return when the hold of an order's seats ends, and put on the span how long that is."""
    now = datetime.now(UTC)
    ends = hold_begins_at(order, now) + timedelta(seconds=settings.hold_seconds())
    lasts = (ends - now).total_seconds()
    trace.get_current_span().set_attribute("boxoffice.hold.lasts_seconds", lasts)
    return ends


def hold_begins_at(order: ledger.Document, now: datetime) -> datetime:
    """Return when an order's hold begins: now, but not before Firestore stored the order, since the
    clock of this server may be slow."""
    placed_at: datetime = order["placed_at"]
    return max(now, placed_at)
