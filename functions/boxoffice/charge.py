"""Charge: asks the card processor for the money, once, however often it is told to."""

from __future__ import annotations

from typing import Any

from firebase_functions import pubsub_fn
from firebase_functions.core import CloudEvent
from opentelemetry import trace

import settings
import throughline
from boxoffice import acquirer, ledger, topics
from boxoffice.order import State


@pubsub_fn.on_message_published(topic=topics.ORDER_RESERVED, retry=True)
@throughline.on_message
def charge(event: CloudEvent[Any]) -> None:
    """Move the order on first and call the processor second: an order that is charging when a
    redelivery comes may or may not have reached the processor, and the same key asks it again."""
    order_id = topics.order_id_in(event)
    outcome = ledger.advance(order_id, State.CHARGING)
    if outcome.state is not State.CHARGING:
        return
    charge_id = ask_for_money(order_id, outcome.order)
    trace.get_current_span().set_attribute("boxoffice.charge.id", charge_id)


def ask_for_money(order_id: str, order: ledger.Document) -> str:
    """POST the charge; returns the processor's id for it.

    Raises:
        acquirer.AcquirerError: it doesn't take the charge.
    """
    answer = acquirer.ask(
        "/charges",
        order_id,
        lambda context: {
            "amount_cents": order["amount_cents"],
            "currency": order["currency"],
            "token": order["card_token"],
            "webhook_url": settings.settle_url(),
            "metadata": {**context, "order_id": order_id},
        },
    )
    return str(answer["id"])
