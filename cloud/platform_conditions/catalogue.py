"""The platform conditions, in the order in which an order meets them."""

from __future__ import annotations

from dataclasses import dataclass

#: Stands for every function as the place of a condition.
EVERY_FUNCTION = "every function"


@dataclass(frozen=True)
class Condition:
    """One condition: the name of its flag, the function that meets it, and what the platform does.

    The function is part of the condition so that only that one pays for it.
    """

    name: str
    where: str
    summary: str


PUBSUB_REFUSES_ONCE = Condition(
    "pubsub-refuses-once",
    "reserve",
    "Pub/Sub does not take the message in the first delivery of the event before it",
)
FIRESTORE_WANTS_INDEXES = Condition(
    "firestore-wants-indexes",
    EVERY_FUNCTION,
    "Firestore refuses each query of a function whose index is missing, as production does",
)
FIRESTORE_IS_FAR = Condition(
    "firestore-is-far",
    "issue",
    "keeps an order's tickets on their way until those of two other orders are under way too",
)
INSTANCES_COME_AND_GO = Condition(
    "instances-come-and-go",
    "quote",
    "an instance is taken away after every second answer, and the next one is new",
)
CPU_ONLY_DURING_REQUESTS = Condition(
    "cpu-only-during-requests",
    "settle",
    "an instance has no CPU once its answer is out: it ends there, whatever it is at",
)

CONDITIONS = (
    PUBSUB_REFUSES_ONCE,
    FIRESTORE_WANTS_INDEXES,
    FIRESTORE_IS_FAR,
    INSTANCES_COME_AND_GO,
    CPU_ONLY_DURING_REQUESTS,
)
