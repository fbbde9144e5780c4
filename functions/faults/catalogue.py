"""Every fault there is, in the order in which an order meets them."""

from __future__ import annotations

from faults import (
    acquirer,
    availability,
    charge,
    expire,
    issue,
    quote,
    reserve,
    settlement,
    topics,
)
from faults.fault import Fault, declared_in

# In the page, in TypeScript.
PAGE = (
    Fault(
        "denial-looks-empty",
        "rules",
        "page",
        "Asks for everybody's orders, which the rules deny, and shows an empty list for an error",
    ),
    Fault(
        "goes-on-with-the-old-token",
        "claims",
        "page",
        "Shows what a new role opens, and asks for it with the token from before it was given",
        page="/organiser",
    ),
)

STAGES = (quote, availability, reserve, charge, acquirer, settlement, topics, issue, expire)

WEATHER = (
    Fault(
        "pubsub-refuses-once",
        "weather",
        "topics",
        "Pub/Sub does not take the message in the first delivery of the event before it",
    ),
    Fault(
        "firestore-wants-indexes",
        "weather",
        "clients",
        "Firestore refuses each query of a function whose index is missing, as production does",
    ),
    Fault(
        "firestore-is-far",
        "weather",
        "issue",
        "keeps an order's tickets on their way until those of two other orders are under way too",
    ),
    Fault(
        "instances-come-and-go",
        "weather",
        "quote",
        "an instance is taken away after every second answer, and the next one is new",
    ),
    Fault(
        "cpu-only-during-requests",
        "weather",
        "settle",
        "an instance has no CPU once its answer is out: it ends there, whatever it is at",
    ),
)

FAULTS = (
    *PAGE,
    *(fault for stage in STAGES for fault in declared_in(stage.__name__)),
    *WEATHER,
)
