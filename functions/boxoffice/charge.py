"""Charge: requests the payment of a reserved order from the card processor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebase_functions import pubsub_fn
from firebase_functions.core import CloudEvent
from opentelemetry import trace

import function_options
import throughline
from boxoffice import acquirer, facts, giving_up, ledger, settlement, topics
from boxoffice.failure import OrderFailure
from boxoffice.order import State


@pubsub_fn.on_message_published(topic=topics.ORDER_RESERVED, **function_options.CHARGE)
@throughline.on_message
@giving_up.on_permanent_failure(by="charge")
def charge(event: CloudEvent[Any]) -> None:
    """Move the order to charging, then request the charge.

    The order moves first. A redelivery that finds it charging cannot know whether the processor
    got the request, so it sends the request again under the same idempotency key.
    """
    order_id = topics.read_order_id(event)
    outcome = begin_charging(order_id)
    if outcome.state is not State.CHARGING:
        return
    response = request_charge(order_id, outcome.order)
    trace.get_current_span().set_attributes(facts.of_charge(outcome.order, response))
    if response["status"] in settlement.FINAL_STATUSES:
        # An earlier attempt requested this charge and it has ended; its webhook is late or lost.
        settlement.settle_order(response, by="charge")


def begin_charging(order_id: str) -> ledger.Outcome:
    """Move the order to charging, if its current state allows that."""
    return ledger.move_order(order_id, State.CHARGING)


def request_charge(order_id: str, order: ledger.Document) -> Mapping[str, Any]:
    """Request the charge from the processor and return it as the processor describes it.

    Raises:
        OrderFailure: the processor refused the request.
        acquirer.AcquirerError: the processor failed or could not be reached.
    """
    cents = amount_cents(order)
    requested = {"amount_cents": cents, "currency": order["currency"]}
    trace.get_current_span().set_attributes(facts.of_charge(order, requested))
    try:
        return acquirer.request_charge(
            order_id,
            idempotency_key(order_id),
            amount_cents=cents,
            currency=order["currency"],
            token=order["card_token"],
        )
    except acquirer.Refused as refusal:
        raise OrderFailure(order_id, State.CHARGING, "charge_refused", str(refusal)) from refusal


def idempotency_key(order_id: str) -> str:
    """Return the key under which the processor charges this order once, however many requests."""
    return order_id


def amount_cents(order: ledger.Document) -> int:
    """Return the amount to charge in whole cents, as reserve wrote it."""
    cents: int = order["amount_cents"]
    return cents
