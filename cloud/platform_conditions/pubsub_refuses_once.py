"""pubsub-refuses-once: Pub/Sub rejects a message the first time.

The instance, the connection or Pub/Sub can fail between a commit and the publish that follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import flask
import wrapt
from google.api_core.exceptions import ServiceUnavailable

from cloud.delivery.event import ATTEMPT_HEADER
from cloud.platform_conditions.catalogue import PUBSUB_REFUSES_ONCE
from cloud.platform_conditions.flags import Flags

PUBLISHER = "google.cloud.pubsub_v1.publisher.client"


def inject(flags: Flags) -> None:
    """Make the publisher raise ServiceUnavailable during the first delivery of an event."""

    def publish(
        publish: Callable[..., Any],
        _publisher: object,
        arguments: tuple[Any, ...],
        options: Mapping[str, Any],
    ) -> Any:
        if is_first_delivery() and flags.is_met(PUBSUB_REFUSES_ONCE):
            raise ServiceUnavailable("for a moment")  # type: ignore[no-untyped-call]
        return publish(*arguments, **options)

    # Wrapped when the app imports it: a function that never publishes does not pay for the import.
    wrapt.register_post_import_hook(
        lambda module: wrapt.wrap_function_wrapper(module, "Client.publish", publish), PUBLISHER
    )


def is_first_delivery() -> bool:
    """Return whether the current request is the first attempt at delivering its event."""
    return flask.has_request_context() and flask.request.headers.get(ATTEMPT_HEADER) == "1"
