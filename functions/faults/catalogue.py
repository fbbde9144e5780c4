"""Every fault there is, in the order in which an order meets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "claims",
    "clocks",
    "delivery",
    "indexes",
    "instance",
    "loop",
    "plain",
    "reads",
    "retries",
    "rules",
    "tracing",
    "vendor",
    "writes",
]


@dataclass(frozen=True)
class Fault:
    """One bug on purpose.

    `name` is its flag. `kind` is what sort of mistake it is. `where` is the module of
    boxoffice that goes wrong, or "page", whose faults are on where its address says so, as in
    `?fault=NAME` after `page`; `summary` says what it then does.
    """

    name: str
    kind: Kind
    where: str
    summary: str
    page: str = "/"


FAULTS = (
    Fault(
        "denial-looks-empty",
        "rules",
        "page",
        "asks for everybody's orders, which the rules deny, and shows an empty list for an error",
    ),
    Fault(
        "goes-on-with-the-old-token",
        "claims",
        "page",
        "shows what a new role opens, and asks for it with the token from before it was given",
        page="/organiser",
    ),
    Fault(
        "reads-one-by-one",
        "reads",
        "quote",
        "counts the seats that are left by reading every ticket of the show, one call each",
    ),
    Fault(
        "works-out-every-price",
        "instance",
        "quote",
        "works out every price there may be, before each instance's first answer",
    ),
    Fault(
        "reads-everything",
        "reads",
        "availability",
        "counts the seats that are left with a query for the tickets of all shows there ever were",
    ),
    Fault(
        "asks-without-an-index",
        "indexes",
        "availability",
        "counts the seats that are left with a query whose composite index nobody made",
    ),
    Fault(
        "copies-into-its-own-collection",
        "loop",
        "reserve",
        "keeps a copy of each order in the collection whose trigger it is, and so calls itself",
    ),
    Fault(
        "tells-only-if-it-moved",
        "writes",
        "reserve",
        "tells the next stage only in the delivery that moved the order, though that one may fail",
    ),
    Fault(
        "dates-orders-back",
        "clocks",
        "reserve",
        "goes by when the page says that it wrote the order, however late that came",
    ),
    Fault(
        "holds-by-the-pages-clock",
        "clocks",
        "reserve",
        "counts the hold from the time on the buyer's device, whose clock may be hours off",
    ),
    Fault(
        "writes-what-it-was-told",
        "delivery",
        "charge",
        "moves the order to where its message says, without a look at where that is by now",
    ),
    Fault(
        "no-idempotency-key",
        "delivery",
        "charge",
        "asks the card processor under a new key each time that the message is delivered",
    ),
    Fault(
        "rounds-through-floats",
        "plain",
        "charge",
        "turns cents into euros and back, and loses a cent of some amounts",
    ),
    Fault(
        "new-key-each-try",
        "vendor",
        "acquirer",
        "tries again under a new key where the card processor did not answer in time",
    ),
    Fault(
        "hammers-the-vendor",
        "retries",
        "acquirer",
        "tries forty times without a pause where the card processor fails",
    ),
    Fault(
        "tells-after-the-answer",
        "instance",
        "settlement",
        "answers the vendor first, and tells the next stage after that",
    ),
    Fault(
        "keeps-late-money",
        "vendor",
        "settlement",
        "leaves the money where it is when it comes after the hold lapsed",
    ),
    Fault(
        "drops-the-context",
        "tracing",
        "topics",
        "publishes that an order is paid without the trace context",
    ),
    Fault(
        "chokes-on-a-name",
        "delivery",
        "issue",
        "takes the second word of the show's id for the ticket's code, where there may be none",
    ),
    Fault(
        "counts-in-one-document",
        "writes",
        "issue",
        "counts all orders in one document, which the transaction of each reads and writes",
    ),
    Fault(
        "expires-whatever-it-finds",
        "delivery",
        "expire",
        "ends the order that its task names, without a look at where that is by now",
    ),
)
