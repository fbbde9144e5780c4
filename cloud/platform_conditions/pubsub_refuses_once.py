"""pubsub-refuses-once: a message that Pub/Sub does not take the first time.

Between a commit and the publish after it anything may end: the instance, the connection, Pub/Sub.
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
    """Have the publisher refuse each message during the first delivery of an event."""

    def publish(
        publish: Callable[..., Any],
        _publisher: object,
        arguments: tuple[Any, ...],
        options: Mapping[str, Any],
    ) -> Any:
        if is_first_delivery() and flags.is_met(PUBSUB_REFUSES_ONCE):
            raise ServiceUnavailable("for a moment")  # type: ignore[no-untyped-call]
        return publish(*arguments, **options)

    # Once it is imported: a function that never publishes does not pay for the import.
    wrapt.register_post_import_hook(
        lambda module: wrapt.wrap_function_wrapper(module, "Client.publish", publish), PUBLISHER
    )


def is_first_delivery() -> bool:
    """Return whether the current request is the first attempt at delivering its event."""
    return flask.has_request_context() and flask.request.headers.get(ATTEMPT_HEADER) == "1"
