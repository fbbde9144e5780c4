"""Order events: publishes a CloudEvent, for audit, when an order reaches a final state."""

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

PUBLISH_TIMEOUT_SECONDS = 5

_log = logging.getLogger(__name__)


def record(order_id: str, outcome: ledger.Outcome, by: str) -> None:
    """Publish an event, if the stage moved the order to a final state.

    `by` is the stage's name or "organiser". A failure to publish is logged and does not fail the
    stage: the order's `moved_at`, written in the same transaction as the move, is the authoritative
    record, and no ticket should wait for its copy. The event's id is derived from the move, so
    publishing twice leaves one audit entry.
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
            "Could not publish that order %s is %s: %s",
            order_id,
            outcome.state,
            type(error).__name__,
        )


def channel() -> str:
    """Return the name, in the project, of the channel that the CLI creates beside the functions."""
    return f"locations/{settings.region()}/channels/firebase"


def publish(event_id: str, data: dict[str, str], extensions: dict[str, str]) -> None:
    """Publish one CloudEvent on the project's Firebase channel.

    Raises:
        requests.RequestException: Eventarc did not accept the event.
    """
    # The default, "auto", omits the fraction of a whole second, and the SDK cannot parse that.
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    attributes = {"datacontenttype": "application/json", **extensions}
    event = {
        "@type": "type.googleapis.com/io.cloudevents.v1.CloudEvent",
        "id": event_id,
        "source": f"//firebase.googleapis.com/projects/{settings.project_id()}/boxoffice",
        "specVersion": "1.0",
        "type": ORDER_MOVED,
        "attributes": {
            "time": {"ceTimestamp": now},
            **{name: {"ceString": text} for name, text in attributes.items()},
        },
        "textData": json.dumps(data),
    }
    project = f"projects/{settings.project_id()}"
    clients.eventarc().post(
        f"{settings.eventarc_url()}/{project}/{channel()}:publishEvents",
        json={"events": [event]},
        timeout=PUBLISH_TIMEOUT_SECONDS,
    ).raise_for_status()
