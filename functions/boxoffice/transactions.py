"""Runs the stages' transactions, and bounds how long they wait for documents that others lock.

What a transaction decides goes on the span when it has committed, so an attempt that Firestore
aborts leaves no facts. See `note` and `note_result`.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from google.api_core.exceptions import Aborted
from google.cloud import firestore
from opentelemetry import trace
from opentelemetry.util.types import AttributeValue

from boxoffice import clients
from boxoffice.facts import Facts

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


@dataclass
class _Notes:
    """The facts of one attempt; `of_results` makes more of a write's result, by its index."""

    facts: dict[str, AttributeValue] = field(default_factory=dict)
    of_results: dict[int, Callable[[Any], Facts]] = field(default_factory=dict)

    def clear(self) -> None:
        self.facts.clear()
        self.of_results.clear()

    def of_commit(self, write_results: Any) -> Facts:
        """Return all facts, given the results of the writes."""
        described = [describe(write_results[index]) for index, describe in self.of_results.items()]
        return {name: value for facts in (self.facts, *described) for name, value in facts.items()}


_notes: ContextVar[_Notes] = ContextVar("notes")


def note(facts: Facts) -> None:
    """Put facts on the span once the running transaction has committed."""
    _notes.get(_Notes()).facts.update(facts)


def note_result(transaction: firestore.Transaction, describe: Callable[[Any], Facts]) -> None:
    """Put facts on the span that `describe` makes of the next write's result, a `WriteResult`.

    The result of an increment is the new value, which the transaction need not read.
    """
    # The client has no public name for the number of writes.
    next_write = len(transaction._write_pbs)
    _notes.get(_Notes()).of_results[next_write] = describe


def run(body: Callable[[firestore.Transaction], Result]) -> Result:
    """Run `body` in a transaction and return its result; retry while Firestore aborts it.

    Firestore aborts a transaction when others have changed or locked a document that it reads or
    writes. If that happened, the span's `boxoffice.transaction.attempts` is the number of attempts,
    and `boxoffice.transaction.waited_seconds` the time that the aborted ones took.

    Raises:
        Contended: Firestore still aborted it after LOCK_WAIT_SECONDS; the span's
            `boxoffice.gave_up` is "contention".
    """
    span = trace.get_current_span()
    began = time.monotonic()
    aborted = itertools.count()
    attributes: dict[str, AttributeValue] = {}
    notes = _Notes()

    @firestore.transactional
    def attempt(transaction: firestore.Transaction) -> Result:
        retries = next(aborted)
        notes.clear()
        if retries:
            attributes["boxoffice.transaction.attempts"] = retries + 1
            time.sleep(random.uniform(0, retries * RETRY_JITTER_SECONDS))  # noqa: S311
            waited = time.monotonic() - began
            attributes["boxoffice.transaction.waited_seconds"] = round(waited, 3)
            if waited > LOCK_WAIT_SECONDS:
                attributes["boxoffice.gave_up"] = "contention"
                attributes["boxoffice.transaction.attempts"] = retries
                raise Contended(
                    f"other transactions locked the documents for {waited:.0f} s, "
                    f"during {retries} attempts"
                )
        return body(transaction)

    token = _notes.set(notes)
    try:
        while True:
            transaction = clients.firestore().transaction(max_attempts=_ATTEMPTS_MAX)
            try:
                result: Result = attempt(transaction)
            except Aborted:
                # The client retries after an aborted commit only, not after an aborted read.
                continue
            attributes.update(notes.of_commit(transaction.write_results))
            return result
    finally:
        _notes.reset(token)
        span.set_attributes(attributes)
