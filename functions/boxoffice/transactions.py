"""Runs the stages' transactions, and bounds how long they wait for documents that others lock."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from typing import TypeVar

from google.api_core.exceptions import Aborted
from google.cloud import firestore
from opentelemetry import trace

from boxoffice import clients

# A third of a function's default timeout, which would end the process without a span. Waiting
# longer also keeps an instance from orders that nothing blocks.
LOCK_WAIT_SECONDS = 20.0
# The client retries an aborted transaction immediately. Deliveries that aborted each other would
# then collide again, each time for as long as Firestore waits for a lock (2 s in the emulator).
RETRY_JITTER_SECONDS = 0.5
# More than fit into LOCK_WAIT_SECONDS. The client's default is 5, too few for a popular show.
_ATTEMPTS_MAX = 1000

Result = TypeVar("Result")


class Contended(Exception):
    """Raised when other transactions locked what this one uses for LOCK_WAIT_SECONDS.

    Nothing was written. A later delivery of the event can succeed.
    """


def run(body: Callable[[firestore.Transaction], Result]) -> Result:
    """Run `body` in a transaction and return its result; retry while Firestore aborts it.

    Firestore aborts a transaction when others have changed or locked a document that it reads or
    writes. The span's `boxoffice.transaction.attempts` exceeds one if that happened, and
    `boxoffice.transaction.waited_seconds` is the time that the aborted attempts took.

    Raises:
        Contended: Firestore still aborted it after LOCK_WAIT_SECONDS; the span's
            `boxoffice.gave_up` is "contention".
    """
    span = trace.get_current_span()
    began = time.monotonic()
    aborted = itertools.count()

    @firestore.transactional
    def attempt(transaction: firestore.Transaction) -> Result:
        retries = next(aborted)
        if retries:
            time.sleep(random.uniform(0, retries * RETRY_JITTER_SECONDS))  # noqa: S311
            waited = time.monotonic() - began
            span.set_attribute("boxoffice.transaction.waited_seconds", round(waited, 3))
            if waited > LOCK_WAIT_SECONDS:
                span.set_attribute("boxoffice.gave_up", "contention")
                raise Contended(
                    f"other transactions locked the documents for {waited:.0f} s, "
                    f"during {retries} attempts"
                )
        span.set_attribute("boxoffice.transaction.attempts", retries + 1)
        return body(transaction)

    while True:
        try:
            result: Result = attempt(clients.firestore().transaction(max_attempts=_ATTEMPTS_MAX))
        except Aborted:
            # The client retries after an aborted commit only, not after an aborted read.
            continue
        return result
