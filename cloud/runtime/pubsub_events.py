"""Subscribes event functions to topics of the Pub/Sub emulator, and makes CloudEvents of pushes.

A Pub/Sub function is an Eventarc trigger with a push subscription of its own; the event's data are
the message and the subscription: https://docs.cloud.google.com/eventarc/docs/cloudevents.
The emulator pushes `{"message": …, "subscription": …}`, and its push is acknowledged at once:
retries are those of `events.py`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx

from cloud.deployment.deployed import Function
from cloud.runtime.firestore_events import BadEvent

EVENT_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"


def is_topic_function(function: Function) -> bool:
    """Return whether the function is triggered by messages of a topic."""
    return (function.trigger or {}).get("eventType") == EVENT_TYPE


def topic_of(function: Function) -> str:
    """Return the resource name of the function's topic."""
    topic: str = (function.trigger or {})["pubsubTopic"]
    project = str(function.resource["name"]).split("/")[1]
    return topic if "/" in topic else f"projects/{project}/topics/{topic}"


async def create_topic(client: httpx.AsyncClient, emulator: str, topic: str) -> None:
    """Create a topic in the emulator, unless it exists."""
    response = await client.put(f"{emulator}/v1/{topic}", json={})
    if response.status_code != 409:
        response.raise_for_status()


async def subscribe(
    client: httpx.AsyncClient, emulator: str, function: Function, endpoint: str
) -> None:
    """Have the emulator push the messages of the function's topic to `endpoint`."""
    topic = topic_of(function)
    await create_topic(client, emulator, topic)
    response = await client.put(
        f"{emulator}/v1/{_subscription(function)}",
        json={
            "topic": topic,
            "pushConfig": {"pushEndpoint": endpoint},
            "ackDeadlineSeconds": 60,
        },
    )
    response.raise_for_status()


def production_event(function: Function, body: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the CloudEvent that a push stands for.

    Raises:
        BadEvent: the body is not a push of the emulator.
    """
    try:
        pushed: dict[str, Any] = json.loads(body)
        message = pushed["message"]
        message_id = message.get("messageId") or message["message_id"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadEvent("the body is not a push of Pub/Sub") from error
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    time = message.get("publishTime") or message.get("publish_time") or now
    # Pub/Sub pushes both spellings of each name.
    # https://docs.cloud.google.com/pubsub/docs/push#receive_push
    message |= {
        "messageId": message_id,
        "message_id": message_id,
        "publishTime": time,
        "publish_time": time,
    }
    headers = {
        "ce-id": message_id,
        "ce-source": f"//pubsub.googleapis.com/{topic_of(function)}",
        "ce-specversion": "1.0",
        "ce-type": EVENT_TYPE,
        "ce-time": time,
        "content-type": "application/json",
        "user-agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
    }
    data = {"message": message, "subscription": _subscription(function)}
    return headers, json.dumps(data).encode()


def _subscription(function: Function) -> str:
    project = str(function.resource["name"]).split("/")[1]
    return f"projects/{project}/subscriptions/eventarc-{function.region}-{function.service}-sub"
