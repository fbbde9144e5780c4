"""firestore-is-far: the weather in which transactions last, and so meet.

In the emulator a whole transaction is over in a hundredth of a second, and a few orders seldom meet
in it. In production each call crosses a network, some databases agree across regions, and a sale's
first minute brings hundreds. Here whatever order comes to the end of its transaction waits there,
before it commits, until some others have come so far.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry import trace

if TYPE_CHECKING:
    from google.cloud.firestore import Client, DocumentReference

# Those who come first, second and third meet, then those who come fourth, fifth and sixth. The
# emulator has room for so many on any machine, and each more would be aborted once more.
MEETING = 3
# For one who comes alone. The instances of all three may have to start first.
ALONE_SECONDS_MAX = 30.0
POLL_SECONDS = 0.05

#: Who came is written beside the flag itself, and goes when it is turned off and on.
FLAG = "flags/firestore-is-far"
FIELD = "under_way"
SPAN = "commit is under way"


def travel(firestore: Client, order_id: str) -> None:
    """Return when so many others are under way too, or none has come for long.

    An order that came before, and whose transaction was begun anew, meets nobody a second time.
    """
    from google.api_core.exceptions import NotFound  # noqa: PLC0415
    from google.cloud.firestore import ArrayUnion  # noqa: PLC0415
    from opentelemetry.instrumentation.utils import suppress_instrumentation  # noqa: PLC0415

    flag = firestore.document(FLAG)
    with trace.get_tracer("boxoffice").start_as_current_span(SPAN), suppress_instrumentation():
        deadline = time.monotonic() + ALONE_SECONDS_MAX
        try:
            flag.update({FIELD: ArrayUnion([order_id])})
        except NotFound:
            return  # turned off meanwhile
        while time.monotonic() < deadline and not have_met(_under_way(flag), order_id):
            time.sleep(POLL_SECONDS)


def have_met(under_way: list[str], order_id: str) -> bool:
    """Whether all have come whom an order meets; nobody waits once the flag was set anew."""
    if order_id not in under_way:
        return True
    place = under_way.index(order_id)
    return len(under_way) > place - place % MEETING + MEETING - 1


def _under_way(flag: DocumentReference) -> list[str]:
    found = (flag.get().to_dict() or {}).get(FIELD)
    return found if isinstance(found, list) else []
