"""The platform conditions, in the order in which an order passes through their functions."""

from __future__ import annotations

from dataclasses import dataclass

#: Value of `Condition.where` for a condition that affects all functions.
EVERY_FUNCTION = "every function"


@dataclass(frozen=True)
class Condition:
    """A platform condition.

    Attributes:
        name: name of its flag.
        where: the function that it affects; only this function's worker installs it.
        summary: what the platform does, for the list of conditions.
    """

    name: str
    where: str
    summary: str


PUBSUB_REFUSES_ONCE = Condition(
    "pubsub-refuses-once",
    "reserve",
    "Pub/Sub rejects each message that is published during the first delivery of an event",
)
FIRESTORE_WANTS_INDEXES = Condition(
    "firestore-wants-indexes",
    EVERY_FUNCTION,
    "Firestore rejects a function's query if its index is missing, as in production",
)
FIRESTORE_IS_FAR = Condition(
    "firestore-is-far",
    "issue",
    "the transaction that writes an order's tickets waits until two other orders' do too",
)
INSTANCES_COME_AND_GO = Condition(
    "instances-come-and-go",
    "quote",
    "an instance ends after its second response, so that every other request is a cold start",
)
CPU_ONLY_DURING_REQUESTS = Condition(
    "cpu-only-during-requests",
    "settle",
    "an instance ends as soon as its response is sent, and unfinished work is lost",
)

CONDITIONS = (
    PUBSUB_REFUSES_ONCE,
    FIRESTORE_WANTS_INDEXES,
    FIRESTORE_IS_FAR,
    INSTANCES_COME_AND_GO,
    CPU_ONLY_DURING_REQUESTS,
)
