"""The list of all faults, sorted by the stages of an order's life."""

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

# Implemented in TypeScript, in frontend/src/faults.
PAGE = (
    Fault(
        "denial-looks-empty",
        "rules",
        "page",
        "Queries every buyer's orders, which the rules deny, and shows the error as an empty list",
    ),
    Fault(
        "goes-on-with-the-old-token",
        "claims",
        "page",
        "Opens the organiser's view after a role change, but keeps using the token from before it",
        page="/organiser",
    ),
)

STAGES = (quote, availability, reserve, charge, acquirer, settlement, topics, issue, expire)

FAULTS = (
    *PAGE,
    *(fault for stage in STAGES for fault in declared_in(stage.__name__)),
)
