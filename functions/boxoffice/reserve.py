"""Reserve: holds the seats of a placed order, or rejects the order."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from firebase_functions import firestore_fn
from google.cloud import firestore
from opentelemetry import trace

import function_options
import settings
import throughline
from boxoffice import (
    clients,
    facts,
    giving_up,
    holds,
    ledger,
    order_events,
    queues,
    topics,
    transactions,
)
from boxoffice.order import Rejection, State
from boxoffice.retry import retry_on_failure

# The pause after which an order that waits for seats looks for them again.
LOOK_SECONDS = 1.0


class MustWait(Exception):
    """Raised inside the transaction while unpaid orders speak for all seats that are left."""


@retry_on_failure
@firestore_fn.on_document_created(document="orders/{order_id}", **function_options.RESERVE)
@throughline.on_document
@giving_up.on_permanent_failure(by="reserve")
def reserve(event: firestore_fn.Event[Any]) -> None:
    """Reserve the order whose document was created."""
    order = event.data.to_dict() or {}
    throughline.correct_baggage({"show.id": order.get("show_id")})
    reserve_order(event.params["order_id"])


def reserve_order(order_id: str) -> None:
    """Hold the order's seats, have it charged, and schedule the end of the hold.

    The message goes out before the task, because the buyer waits for the charge. Both are sent
    again if the seats are already held.
    """
    outcome = wait_and_hold_seats(order_id)
    if must_request_charge(outcome):
        topics.publish(topics.ORDER_RESERVED, order_id)
        queues.schedule_expiry(order_id, outcome.order["hold_until"])
    record(order_id, outcome)


def wait_and_hold_seats(order_id: str) -> ledger.Outcome:
    """Move the order to reserved or rejected; wait meanwhile if its seats may become free.

    It waits a few seconds at most, and not at all if the platform delivered the order late.
    """
    waited_seconds = 0.0
    while True:
        try:
            outcome = ledger.move_order(order_id, State.RESERVED, hold_seats)
        except MustWait:
            time.sleep(LOOK_SECONDS)
            waited_seconds += LOOK_SECONDS
        else:
            trace.get_current_span().set_attribute("boxoffice.hold.waited_seconds", waited_seconds)
            return outcome


def must_request_charge(outcome: ledger.Outcome) -> bool:
    """Return whether to publish the order to charge: in every delivery that finds it reserved.

    The delivery that moved the order may have failed before it published the message.
    """
    return outcome.state is State.RESERVED


def record(order_id: str, outcome: ledger.Outcome) -> None:
    """Publish the outcome for audit, which stores it in a collection of its own."""
    order_events.record(order_id, outcome, by="reserve")


def hold_seats(order: ledger.Document, transaction: firestore.Transaction) -> ledger.Move:
    """Take the order's seats from the show's stock, or reject the order with a reason.

    An order that is accepted without a hold takes its seats when it is paid for.

    Raises:
        MustWait: unpaid orders speak for the seats, and the order is new enough to wait for them.
    """
    shows = clients.firestore().collection(ledger.SHOWS)
    show_reference = shows.document(order["show_id"])
    show = show_reference.get(transaction=transaction).to_dict()
    if show is None:
        return ledger.Move(State.REJECTED, {"reason": Rejection.UNKNOWN_SHOW})
    set_clock_attributes(order, show)
    seats_left = show["seats_left"]
    if reason := rejection(order, show):
        return reject(order, seats_left, {"reason": reason})
    price = {
        "price_cents": show["price_cents"],
        "amount_cents": show["price_cents"] * order["seats"],
        "currency": show["currency"],
    }
    counters = holds.read(order, transaction)
    admission = holds.admit(order, show, counters)
    if admission is None and may_wait(order):
        raise MustWait
    if admission is None:
        return reject(order, seats_left - counters.unheld, {"reason": Rejection.SOLD_OUT})
    if not isinstance(admission, holds.Admission):
        return reject(order, admission["limit"] - admission["held"], admission)
    counted = holds.counted_with(order, admission)
    transactions.note(facts.of_stock(seats_left, seats_left - counted["held"]))

    def hold(tx: firestore.Transaction) -> None:
        holds.count(tx, counted, counters)
        if admission is holds.Admission.HELD:
            tx.update(show_reference, {"seats_left": seats_left - order["seats"]})

    return ledger.Move(
        State.RESERVED,
        {
            **price,
            "hold_until": hold_until(order),
            "has_hold": admission is holds.Admission.HELD,
            "counted": counted,
        },
        hold,
    )


def reject(order: ledger.Document, left: int, fields: Mapping[str, Any]) -> ledger.Move:
    """Return the move that rejects the order; `left` is how much of it could have been had."""
    transactions.note(facts.of_refusal(order["seats"], max(0, left)))
    return ledger.Move(State.REJECTED, fields)


def rejection(order: ledger.Document, show: ledger.Document) -> Rejection | None:
    """Return why the show cannot be sold to the order, or None."""
    if has_begun(order, show):
        return Rejection.SHOW_BEGUN
    if is_after_sale(order, show):
        return Rejection.SALE_OVER
    if show["seats_left"] < order["seats"]:
        return Rejection.SOLD_OUT
    return None


def set_clock_attributes(order: ledger.Document, show: ledger.Document) -> None:
    """Set delays on the span, in seconds: from the page's write, by the page's clock, until
    Firestore stored the order, and from the end of the sale and the begin of the show until then.

    The first is large if the order waited for a connection, or if the page's clock is wrong.
    """
    since = {
        "boxoffice.order.asked_before_seconds": order.get("asked_at"),
        "boxoffice.sale.over_seconds": show.get("sale_ends_at"),
        "boxoffice.show.begun_seconds": show.get("starts_at"),
    }
    trace.get_current_span().set_attributes(
        {name: (order["placed_at"] - at).total_seconds() for name, at in since.items() if at}
    )


def may_wait(order: ledger.Document) -> bool:
    """Return whether the order may wait for seats that unpaid orders speak for."""
    patience = timedelta(seconds=settings.unpaid_stall_seconds())
    return bool(datetime.now(UTC) < order["placed_at"] + patience)


def has_begun(order: ledger.Document, show: ledger.Document) -> bool:
    """Return whether the show had begun when Firestore stored the order.

    The security rules check the same for orders from the page.
    """
    starts_at = show.get("starts_at")
    return starts_at is not None and bool(order["placed_at"] >= starts_at)


def is_after_sale(order: ledger.Document, show: ledger.Document) -> bool:
    """Return whether Firestore stored the order after the end of the show's sale, if it has one."""
    ends_at = show.get("sale_ends_at")
    return ends_at is not None and bool(order["placed_at"] > ends_at)


def hold_until(order: ledger.Document) -> datetime:
    """Return when the hold of the order's seats ends, and set its duration on the span."""
    now = datetime.now(UTC)
    end = hold_begins_at(order, now) + timedelta(seconds=settings.hold_seconds())
    transactions.note({"boxoffice.hold.lasts_seconds": (end - now).total_seconds()})
    return end


def hold_begins_at(order: ledger.Document, now: datetime) -> datetime:
    """Return when the order's hold begins: now, but not before Firestore stored the order.

    This server's clock may be behind Firestore's.
    """
    placed_at: datetime = order["placed_at"]
    return max(now, placed_at)
