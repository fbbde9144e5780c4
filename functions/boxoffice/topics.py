"""Messages between stages: an order's id, published on a Pub/Sub topic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import settings
import throughline
from boxoffice import clients
from boxoffice.failure import PermanentFailure
from boxoffice.order import is_order_id

ORDER_RESERVED = "order-reserved"
ORDER_PAID = "order-paid"

PUBLISH_TIMEOUT_SECONDS = 10


class UnreadableMessage(PermanentFailure):
    """Raised for a message without a usable order id."""

    reason = "unreadable_message"


def publish(topic: str, order_id: str) -> None:
    """Publish the order's id with the trace context, and wait until Pub/Sub has the message.

    Raises what the Pub/Sub client raises. The stage then fails, and the platform retries it.
    """
    with throughline.sending(topic) as context:
        publish_message(topic, order_id, context)


def publish_message(topic: str, order_id: str, attributes: Mapping[str, str]) -> None:
    """Publish a message with the order's id and `attributes`, and wait until Pub/Sub has it."""
    publisher = clients.publisher()
    publisher.publish(
        publisher.topic_path(settings.project_id(), topic),
        json.dumps({"order_id": order_id}).encode(),
        **attributes,
    ).result(timeout=PUBLISH_TIMEOUT_SECONDS)


def read_order_id(event: Any) -> str:
    """Return the order's id from a Pub/Sub event.

    Raises:
        UnreadableMessage: the message's data is not JSON, or has no usable `order_id`.
    """
    message = event.data.message
    try:
        order_id = message.json["order_id"]
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableMessage(f"message {message.message_id} has no order_id: {error}") from error
    if not is_order_id(order_id):
        raise UnreadableMessage(f"message {message.message_id} has an unusable order_id")
    return order_id
