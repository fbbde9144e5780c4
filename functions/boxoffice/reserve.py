"""Reserve: holds the seats of an order that was just placed, or rejects it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from firebase_functions import firestore_fn
from google.cloud import firestore
from opentelemetry import trace

import faults
import settings
import throughline
from boxoffice import clients, ledger, order_events, queues, topics
from boxoffice.order import State
from boxoffice.redelivery import redelivered


@redelivered
@firestore_fn.on_document_created(document="orders/{order_id}")
@throughline.on_document
def reserve(event: firestore_fn.Event[Any]) -> None:
    """Hold the seats of the order that was placed."""
    hold(event.params["order_id"])


def hold(order_id: str) -> None:
    """Hold the seats, then tell the next stage and, because nobody waits for that, have the hold
    end some day; where the seats are held already, tell them again."""
    outcome = ledger.advance(order_id, State.RESERVED, hold_seats)
    due = outcome.moved if faults.on("tells-only-if-it-moved") else True
    if outcome.state is State.RESERVED and due:
        topics.tell(topics.ORDER_RESERVED, order_id)
        queues.expire_at(order_id, outcome.order["hold_until"])
    order_events.record(order_id, outcome, by="reserve")
    if outcome.moved and faults.on("copies-into-its-own-collection"):
        orders = clients.firestore().collection(ledger.ORDERS)
        copy = faults.copies_into_its_own_collection
        copy.keep_copy(orders, order_id, outcome.order, throughline.trace_field())


def hold_seats(order: ledger.Document, transaction: firestore.Transaction) -> ledger.Move:
    """Take the order's seats off the show's stock, or say why not."""
    shows = clients.firestore().collection(ledger.SHOWS)
    show_reference = shows.document(order["show_id"])
    show = show_reference.get(transaction=transaction).to_dict()
    if show is None:
        return ledger.Move(State.REJECTED, {"reason": "unknown_show"})
    note_the_pages_clock(order)
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


def note_the_pages_clock(order: ledger.Document) -> None:
    """Say on the span how long before the order was stored the page wrote it, as its clock has it:
    what an order without a connection waited, or how far that clock is off."""
    if asked_at := order.get("asked_at"):
        took = (order["placed_at"] - asked_at).total_seconds()
        trace.get_current_span().set_attribute("boxoffice.order.asked_before_seconds", took)


def came_after_the_sale(order: ledger.Document, show: ledger.Document) -> bool:
    """Whether the show's sale, if it ends at all, had ended when Firestore stored the order."""
    ends_at = show.get("sale_ends_at")
    if ends_at is None:
        return False
    came_at = order["placed_at"]
    over = (came_at - ends_at).total_seconds()
    trace.get_current_span().set_attribute("boxoffice.sale.over_seconds", over)
    if faults.on("dates-orders-back"):
        came_at = faults.dates_orders_back.came_at(order)
    return bool(came_at > ends_at)


def hold_until(order: ledger.Document) -> datetime:
    """When the hold of an order's seats ends that begins now."""
    now = begins = datetime.now(UTC)
    if faults.on("holds-by-the-pages-clock"):
        begins = faults.holds_by_the_pages_clock.begins_at(order, now)
    ends = begins + timedelta(seconds=settings.hold_seconds())
    lasts = (ends - now).total_seconds()
    trace.get_current_span().set_attribute("boxoffice.hold.lasts_seconds", lasts)
    return ends
