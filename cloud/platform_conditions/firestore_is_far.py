"""firestore-is-far: transactions that take long enough to overlap.

In the emulator a whole transaction takes about 10 ms, so the transactions of a few orders rarely
overlap. In production each call crosses a network, a database may replicate across regions, and a
sale's first minute brings hundreds of orders. Under this condition a transaction waits before its
commit until two transactions of other traces are about to commit too.
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

# Transactions wait in groups, in order of arrival. The emulator handles three concurrent ones on
# any machine; each further one would be aborted once more often.
GROUP_SIZE = 3
# How long an incomplete group waits. Three instances may have to start first.
WAIT_SECONDS_MAX = 30.0
POLL_SECONDS = 0.05

#: The ids of the waiting traces are a field of the flag's own document; setting the flag clears it.
FLAG = f"{COLLECTION}/{FIRESTORE_IS_FAR.name}"
FIELD = "under_way"
SPAN = "commit is under way"


def inject(flags: Flags, documents: FirestoreEmulator) -> None:
    """Make each commit of a transaction wait for two other transactions.

    Call this after the app instruments its channels, so that the wait is not part of the commit's
    span.
    """

    def delay(method: str, request: Any, send: Callable[[], Any]) -> Any:
        if method == COMMIT and request.transaction and flags.is_met(FIRESTORE_IS_FAR):
            wait_for_others(documents)
        return send()

    channels.intercept_unary(delay)


def wait_for_others(documents: FirestoreEmulator) -> None:
    """Wait until two other transactions are about to commit, or for WAIT_SECONDS_MAX.

    A transaction that was aborted and retried keeps its place, and does not wait a second time.
    """
    with trace.get_tracer("cloud").start_as_current_span(SPAN) as span:
        context = span.get_span_context()
        if not context.is_valid:
            return
        trace_id = trace.format_trace_id(context.trace_id)
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        try:
            if not documents.add_to_array(FLAG, FIELD, trace_id):
                return  # the flag was turned off meanwhile
            while time.monotonic() < deadline and not is_complete(_waiting(documents), trace_id):
                time.sleep(POLL_SECONDS)
        except FirestoreError as error:
            span.record_exception(error)


def is_complete(waiting: list[str], trace_id: str) -> bool:
    """Return whether the group of a trace is complete, or its wait is over.

    Args:
        waiting: the ids of all traces that wait, in order of arrival.
        trace_id: the trace; if it is not listed, the flag was set again and its wait is over.
    """
    if trace_id not in waiting:
        return True
    place = waiting.index(trace_id)
    return len(waiting) > place - place % GROUP_SIZE + GROUP_SIZE - 1


def _waiting(documents: FirestoreEmulator) -> list[str]:
    values = documents.document(FLAG).get(FIELD, {}).get("arrayValue", {}).get("values", [])
    return [value["stringValue"] for value in values]
