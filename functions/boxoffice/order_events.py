"""Order events: a CloudEvent for each order that reached a final state; audit receives them."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import requests
from google.auth.exceptions import GoogleAuthError

import settings
import throughline
from boxoffice import clients, ledger
from boxoffice.order import FINAL

ORDER_MOVED = "boxoffice.order.moved"
CHANNEL = "locations/us-central1/channels/firebase"

PUBLISH_TIMEOUT_SECONDS = 5

_log = logging.getLogger(__name__)


def record(order_id: str, outcome: ledger.Outcome, by: str) -> None:
    """Publish that `by`, a stage or "organiser", moved an order to a final state, if it did.

    An event that can't be published is logged and fails no stage: the order's own `moved_at`,
    written in the same transaction as the move, is the record of what happened. The event is a copy
    for people, and no ticket should wait for it. The event's id is derived from the move, so
    publishing it twice leaves one audit entry.
    """
    if not outcome.moved or outcome.state not in FINAL:
        return
    event_id = f"{order_id}-{outcome.state}"
    try:
        with throughline.publishing(ORDER_MOVED, event_id) as extensions:
            publish(
                event_id,
                {"order_id": order_id, "state": outcome.state, "by": by},
                extensions,
            )
    except (requests.RequestException, GoogleAuthError) as error:
        _log.warning(
            "No event tells that order %s is %s: %s", order_id, outcome.state, type(error).__name__
        )


def publish(event_id: str, data: dict[str, str], extensions: dict[str, str]) -> None:
    """Publish one CloudEvent on the project's Firebase channel.

    Raises:
        requests.RequestException: Eventarc didn't take it.
    """
    # "auto" writes a whole second without its fraction, which the SDK can't read.
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    texts = {"datacontenttype": "application/json", **extensions}
    event = {
        "@type": "type.googleapis.com/io.cloudevents.v1.CloudEvent",
        "id": event_id,
        "source": f"//firebase.googleapis.com/projects/{settings.project_id()}/boxoffice",
        "specVersion": "1.0",
        "type": ORDER_MOVED,
        "attributes": {
            "time": {"ceTimestamp": now},
            **{name: {"ceString": text} for name, text in texts.items()},
        },
        "textData": json.dumps(data),
    }
    channel = f"projects/{settings.project_id()}/{CHANNEL}"
    clients.eventarc().post(
        f"{settings.eventarc_url()}/{channel}:publishEvents",
        json={"events": [event]},
        timeout=PUBLISH_TIMEOUT_SECONDS,
    ).raise_for_status()
