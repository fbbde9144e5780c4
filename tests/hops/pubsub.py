"""Publishing to the Pub/Sub emulator, as anybody might."""

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
    """Publish one message; without `attributes` it has none at all."""
    message = {"data": base64.b64encode(data).decode()}
    body = {"messages": [{**message, **({"attributes": attributes} if attributes else {})}]}
    url = f"{addresses.pubsub}/v1/projects/{addresses.project}/topics/{topic}:publish"
    httpx.post(url, json=body, timeout=30).raise_for_status()


def about(order_id: str) -> bytes:
    """The data of a message about an order, as the Box Office writes it."""
    return json.dumps({"order_id": order_id}).encode()


class Subscription:
    """A subscription to a topic, made for one test; the topic is made too if it isn't there."""

    def __init__(self, addresses: Addresses, topic: str) -> None:
        self._project = f"{addresses.pubsub}/v1/projects/{addresses.project}"
        self._url = f"{self._project}/subscriptions/test-{secrets.token_hex(6)}"
        httpx.put(f"{self._project}/topics/{topic}", json={}, timeout=30)  # 409: it is there
        name = f"projects/{addresses.project}/topics/{topic}"
        httpx.put(self._url, json={"topic": name}, timeout=30).raise_for_status()

    def pull(self, attribute: str, value: str, seconds: float = 30) -> dict[str, Any]:
        """The message with that attribute, its data decoded; fails when it isn't there in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = httpx.post(
                f"{self._url}:pull",
                json={"maxMessages": 50, "returnImmediately": True},
                timeout=30,
            )
            for received in answer.raise_for_status().json().get("receivedMessages", []):
                message: dict[str, Any] = received["message"]
                if message.get("attributes", {}).get(attribute) == value:
                    return {**message, "data": base64.b64decode(message.get("data", ""))}
            time.sleep(0.1)
        raise AssertionError(f"no message with {attribute} = {value} within {seconds} s")

    def delete(self) -> None:
        """Take it away again."""
        httpx.delete(self._url, timeout=30)
