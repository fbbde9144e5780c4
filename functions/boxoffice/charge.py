"""Charge: asks the card processor for the money, once, however often it is told to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebase_functions import pubsub_fn
from firebase_functions.core import CloudEvent
from opentelemetry import trace

import settings
import throughline
from boxoffice import acquirer, ledger, settlement, topics
from boxoffice.order import State


@pubsub_fn.on_message_published(topic=topics.ORDER_RESERVED, retry=True)
@throughline.on_message
def charge(event: CloudEvent[Any]) -> None:
    """Move the order on first and call the processor second: an order that is charging when a
    redelivery comes may or may not have reached the processor, and the same key asks it again."""
    order_id = topics.order_id_in(event)
    outcome = begin_charging(order_id)
    if outcome.state is not State.CHARGING:
        return
    asked = ask_for_money(order_id, outcome.order)
    trace.get_current_span().set_attribute("boxoffice.charge.id", str(asked["id"]))
    if asked["status"] in settlement.ENDED:
        # Asked for before, and ended since: its webhook is late, or lost.
        settlement.settle_order(asked, by="charge")


def begin_charging(order_id: str) -> ledger.Outcome:
    """Move the order to charging, if that is a legal move from the state it is in by now."""
    return ledger.advance(order_id, State.CHARGING)


def ask_for_money(order_id: str, order: ledger.Document) -> Mapping[str, Any]:
    """POST the charge; returns what the processor has to say of it.

    Raises:
        acquirer.AcquirerError: it doesn't take the charge.
    """
    cents = amount_cents(order)
    return acquirer.ask(
        "/charges",
        idempotency_key(order_id),
        lambda context: {
            "amount_cents": cents,
            "currency": order["currency"],
            "token": order["card_token"],
            "webhook_url": settings.settle_url(),
            "metadata": {**context, "order_id": order_id},
        },
    )


def idempotency_key(order_id: str) -> str:
    """Return the key under which the card processor charges an order once, however often asked."""
    return order_id


def amount_cents(order: ledger.Document) -> int:
    """Return what to charge: whole cents, as reserve wrote them."""
    cents: int = order["amount_cents"]
    return cents
