"""Faults of boxoffice/topics.py."""

from __future__ import annotations

import json
from collections.abc import Mapping

import settings
from boxoffice import clients, topics
from faults.fault import replaces


@replaces("boxoffice.topics:publish", flag="drops-the-context", kind="tracing")
def publish(topic: str, order_id: str, attributes: Mapping[str, str]) -> None:
    """Publishes that an order is paid without the trace context.

    A message's attributes are what carries it; messages of the other topic keep theirs.
    """
    kept = {} if topic == topics.ORDER_PAID else attributes
    publisher = clients.publisher()
    publisher.publish(
        publisher.topic_path(settings.project_id(), topic),
        json.dumps({"order_id": order_id}).encode(),
        **kept,
    ).result(timeout=topics.PUBLISH_TIMEOUT_SECONDS)
