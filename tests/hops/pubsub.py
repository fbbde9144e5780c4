"""Publishes to the Pub/Sub emulator, and pulls from it."""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import Any

import httpx

from tests.addresses import Addresses


def publish(
    addresses: Addresses, topic: str, data: bytes, attributes: dict[str, str] | None = None
) -> None:
    """Publish one message, by default without attributes."""
    message = {"data": base64.b64encode(data).decode()}
    body = {"messages": [{**message, **({"attributes": attributes} if attributes else {})}]}
    url = f"{addresses.pubsub}/v1/projects/{addresses.project}/topics/{topic}:publish"
    httpx.post(url, json=body, timeout=30).raise_for_status()


def about(order_id: str) -> bytes:
    """Return the data of a message about an order, in the Box Office's format."""
    return json.dumps({"order_id": order_id}).encode()


class Subscription:
    """A new subscription to a topic, which is created if needed."""

    def __init__(self, addresses: Addresses, topic: str) -> None:
        self._project = f"{addresses.pubsub}/v1/projects/{addresses.project}"
        self._url = f"{self._project}/subscriptions/test-{secrets.token_hex(6)}"
        httpx.put(f"{self._project}/topics/{topic}", json={}, timeout=30)  # 409 if it exists
        name = f"projects/{addresses.project}/topics/{topic}"
        httpx.put(self._url, json={"topic": name}, timeout=30).raise_for_status()

    def pull(self, attribute: str, value: str, seconds: float = 30) -> dict[str, Any]:
        """Wait for a message with an attribute, and return it with its data decoded.

        Raises:
            AssertionError: there is none within `seconds`.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            response = httpx.post(
                f"{self._url}:pull",
                json={"maxMessages": 50, "returnImmediately": True},
                timeout=30,
            )
            for received in response.raise_for_status().json().get("receivedMessages", []):
                message: dict[str, Any] = received["message"]
                if message.get("attributes", {}).get(attribute) == value:
                    return {**message, "data": base64.b64decode(message.get("data", ""))}
            time.sleep(0.1)
        raise AssertionError(f"no message with {attribute} = {value} within {seconds} s")

    def delete(self) -> None:
        """Delete the subscription."""
        httpx.delete(self._url, timeout=30)
