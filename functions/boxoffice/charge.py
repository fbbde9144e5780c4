"""Charge: asks the card processor for the money, once, however often it is told to."""

from __future__ import annotations

from typing import Any

import requests
from firebase_functions import pubsub_fn
from firebase_functions.core import CloudEvent
from opentelemetry import trace

import settings
import throughline
from boxoffice import ledger, topics
from boxoffice.order import State

# The processor answers a repeated key with the first charge, so trying again is safe.
ATTEMPTS = 3


class AcquirerError(Exception):
    """The card processor did not take the charge; it may if asked again."""


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
        AcquirerError: it can't be reached or doesn't take the charge, three times over.
    """
    url = f"{settings.acquirer_url()}/charges"
    problem = ""
    for _ in range(ATTEMPTS):
        with throughline.calling("POST", url) as call:
            try:
                response = requests.post(
                    url,
                    headers={**call.context, "Idempotency-Key": order_id},
                    json={
                        "amount_cents": order["amount_cents"],
                        "currency": order["currency"],
                        "token": order["card_token"],
                        "webhook_url": settings.settle_url(),
                        "metadata": {**call.context, "order_id": order_id},
                    },
                    timeout=settings.acquirer_timeout_seconds(),
                )
            except requests.RequestException as error:
                trace.get_current_span().record_exception(error)
                problem = f"{type(error).__name__}"
                continue
            call.answered(response.status_code)
        if response.ok:
            return str(response.json()["id"])
        problem = f"status {response.status_code}"
        if response.status_code < 500 and response.status_code != 429:
            break
    raise AcquirerError(f"{url} did not take the charge of order {order_id}: {problem}")
