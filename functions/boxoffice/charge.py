"""Charge: asks the card processor for the money, once, however often it is told to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebase_functions import pubsub_fn
from firebase_functions.core import CloudEvent
from opentelemetry import trace

import faults
import settings
import throughline
from boxoffice import acquirer, clients, ledger, settlement, topics
from boxoffice.order import State


@pubsub_fn.on_message_published(topic=topics.ORDER_RESERVED, retry=True)
@throughline.on_message
def charge(event: CloudEvent[Any]) -> None:
    """Move the order on first and call the processor second: an order that is charging when a
    redelivery comes may or may not have reached the processor, and the same key asks it again."""
    order_id = topics.order_id_in(event)
    if faults.on("writes-what-it-was-told"):
        move, field = faults.writes_what_it_was_told.move, throughline.trace_field()
        order = move(clients.firestore(), order_id, State.CHARGING, field)
        outcome = ledger.Outcome(order, State.CHARGING, moved=True)
    else:
        outcome = ledger.advance(order_id, State.CHARGING)
    if outcome.state is not State.CHARGING:
        return
    asked = ask_for_money(order_id, outcome.order)
    trace.get_current_span().set_attribute("boxoffice.charge.id", str(asked["id"]))
    if asked["status"] in settlement.ENDED:
        # Asked for before, and ended since: its webhook is late, or lost.
        settlement.settle_order(asked, by="charge")


def ask_for_money(order_id: str, order: ledger.Document) -> Mapping[str, Any]:
    """POST the charge; returns what the processor has to say of it.

    Raises:
        acquirer.AcquirerError: it doesn't take the charge.
    """
    key, amount_cents = order_id, order["amount_cents"]
    if faults.on("no-idempotency-key"):
        key = faults.no_idempotency_key.key(order_id)
    if faults.on("rounds-through-floats"):
        amount_cents = faults.rounds_through_floats.cents(amount_cents)
    return acquirer.ask(
        "/charges",
        key,
        lambda context: {
            "amount_cents": amount_cents,
            "currency": order["currency"],
            "token": order["card_token"],
            "webhook_url": settings.settle_url(),
            "metadata": {**context, "order_id": order_id},
        },
    )
