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

FAULTS = (
    *PAGE,
    *(fault for stage in STAGES for fault in declared_in(stage.__name__)),
)
