"""firestore-is-far: transactions that last, and so meet.

In the emulator a whole transaction takes a hundredth of a second, and a few orders seldom meet in
it. In production each call crosses a network, some databases agree across regions, and a sale's
first minute brings hundreds. Under this condition a transaction waits before it commits until two
others, of other traces, are about to commit too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from opentelemetry import trace

from cloud.platform_conditions import channels
from cloud.platform_conditions.catalogue import FIRESTORE_IS_FAR
from cloud.platform_conditions.firestore_emulator import FirestoreEmulator, FirestoreError
from cloud.platform_conditions.flags import COLLECTION, Flags

COMMIT = "google.firestore.v1.Firestore/Commit"

# The first, second and third to come meet, then the fourth, fifth and sixth. The emulator has room
# for three on any machine, and each more would be aborted once more.
MEETING = 3
# For one that stays alone. The instances of all three may have to start first.
ALONE_SECONDS_MAX = 30.0
POLL_SECONDS = 0.05

#: The traces that came are listed beside the flag itself, and go when it is turned off and on.
FLAG = f"{COLLECTION}/{FIRESTORE_IS_FAR.name}"
FIELD = "under_way"
SPAN = "commit is under way"


def inject(flags: Flags, documents: FirestoreEmulator) -> None:
    """Have each commit of a transaction wait for the two others.

    Goes in after the app traces its channels: the wait is no part of the call's own span.
    """

    def travel(method: str, request: Any, go_on: Callable[[], Any]) -> Any:
        if method == COMMIT and request.transaction and flags.is_met(FIRESTORE_IS_FAR):
            wait_for_others(documents)
        return go_on()

    channels.intercept_unary(travel)


def wait_for_others(documents: FirestoreEmulator) -> None:
    """Return when two other transactions are about to commit, or none has come for long.

    One whose trace came before, because it was aborted and begun again, does not wait again.
    """
    with trace.get_tracer("cloud").start_as_current_span(SPAN) as span:
        context = span.get_span_context()
        if not context.is_valid:
            return
        trace_id = trace.format_trace_id(context.trace_id)
        deadline = time.monotonic() + ALONE_SECONDS_MAX
        try:
            if not documents.add_to_array(FLAG, FIELD, trace_id):
                return  # turned off meanwhile
            while time.monotonic() < deadline and not have_met(_under_way(documents), trace_id):
                time.sleep(POLL_SECONDS)
        except FirestoreError as error:
            span.record_exception(error)


def have_met(under_way: list[str], trace_id: str) -> bool:
    """Return whether all that a trace meets have come; none waits once the flag was set again."""
    if trace_id not in under_way:
        return True
    place = under_way.index(trace_id)
    return len(under_way) > place - place % MEETING + MEETING - 1


def _under_way(documents: FirestoreEmulator) -> list[str]:
    values = documents.document(FLAG).get(FIELD, {}).get("arrayValue", {}).get("values", [])
    return [value["stringValue"] for value in values]
