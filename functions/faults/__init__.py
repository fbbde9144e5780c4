"""The bugs on purpose, each behind a flag that is off: what goes wrong in a distributed app.

`catalogue.py` lists them. A stage asks `faults.on(name)` in the one place where it would go wrong,
and the wrong code is in the module here that has the fault's name. Nothing is on, and nothing is
asked of anybody, until main.py calls `obey`.
"""

from faults import (
    asks_without_an_index,
    chokes_on_a_name,
    copies_into_its_own_collection,
    counts_in_one_document,
    dates_orders_back,
    drops_the_context,
    expires_whatever_it_finds,
    hammers_the_vendor,
    holds_by_the_pages_clock,
    new_key_each_try,
    no_idempotency_key,
    reads_everything,
    reads_one_by_one,
    rounds_through_floats,
    tells_after_the_answer,
    works_out_every_price,
    writes_what_it_was_told,
)
from faults.switch import obey, on

__all__ = [
    "asks_without_an_index",
    "chokes_on_a_name",
    "copies_into_its_own_collection",
    "counts_in_one_document",
    "dates_orders_back",
    "drops_the_context",
    "expires_whatever_it_finds",
    "hammers_the_vendor",
    "holds_by_the_pages_clock",
    "new_key_each_try",
    "no_idempotency_key",
    "obey",
    "on",
    "reads_everything",
    "reads_one_by_one",
    "rounds_through_floats",
    "tells_after_the_answer",
    "works_out_every_price",
    "writes_what_it_was_told",
]
