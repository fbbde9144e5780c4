"""pubsub-refuses-once: the weather in which a dual write shows.

Between the commit and the publish anything may end: the instance, the connection, Pub/Sub itself.
"""

import flask
from google.api_core.exceptions import ServiceUnavailable

TOPIC = "order-reserved"
# Who delivers says so here, on the local stack; see throughline/attempt.py.
ATTEMPT_HEADER = "x-throughline-delivery-attempt"


def refuse(topic: str) -> None:
    """Refuse a message of that topic while the event that led to it is delivered the first time.

    Raises:
        ServiceUnavailable: as Pub/Sub's client does.
    """
    if topic == TOPIC and flask.request.headers.get(ATTEMPT_HEADER) == "1":
        raise ServiceUnavailable("for a moment")  # type: ignore[no-untyped-call]
