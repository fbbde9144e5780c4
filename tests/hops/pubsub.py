"""Publishing to the Pub/Sub emulator, as anybody might."""

from __future__ import annotations

import base64
import json

import httpx

from tests.addresses import Addresses


def publish(
    addresses: Addresses, topic: str, data: bytes, attributes: dict[str, str] | None = None
) -> None:
    """Publish one message; without `attributes` it has none at all."""
    message = {"data": base64.b64encode(data).decode()}
    body = {"messages": [{**message, **({"attributes": attributes} if attributes else {})}]}
    url = f"{addresses.pubsub}/v1/projects/{addresses.project}/topics/{topic}:publish"
    httpx.post(url, json=body, timeout=30).raise_for_status()


def about(order_id: str) -> bytes:
    """The data of a message about an order, as the Box Office writes it."""
    return json.dumps({"order_id": order_id}).encode()
