"""What one stage tells the next: an order's id, on a Pub/Sub topic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import settings
import throughline
from boxoffice import clients
from boxoffice.order import is_order_id

ORDER_RESERVED = "order-reserved"
ORDER_PAID = "order-paid"

PUBLISH_TIMEOUT_SECONDS = 10


class UnreadableMessage(Exception):
    """Raised for a message that names no order; delivering it again won't help."""


def tell(topic: str, order_id: str) -> None:
    """Publish that something happened to an order; returns when Pub/Sub has it.

    Raises what the client raises when it hasn't; the stage then fails, and is delivered again.
    """
    with throughline.sending(topic) as context:
        publish(topic, order_id, context)


def publish(topic: str, order_id: str, attributes: Mapping[str, str]) -> None:
    """Publish a message that names the order, with `attributes`; returns when Pub/Sub has it."""
    publisher = clients.publisher()
    publisher.publish(
        publisher.topic_path(settings.project_id(), topic),
        json.dumps({"order_id": order_id}).encode(),
        **attributes,
    ).result(timeout=PUBLISH_TIMEOUT_SECONDS)


def order_id_in(event: Any) -> str:
    """The order that a message is about.

    Raises:
        UnreadableMessage: its data is not JSON, or has no `order_id`.
    """
    message = event.data.message
    try:
        order_id = message.json["order_id"]
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableMessage(f"message {message.message_id} names no order: {error}") from error
    if not is_order_id(order_id):
        raise UnreadableMessage(f"message {message.message_id} has an order_id that is none")
    return order_id
