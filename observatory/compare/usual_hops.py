"""The hops that traces with the same root usually have, and so may miss."""

from typing import NamedTuple

import duckdb

from observatory.compare.digest.facts import HOP_ARROW, LEG_KEY

# A hop is missed where this share of the traces with the same root has it, and there are so many.
USUAL_SHARE = 0.8
USUAL_TRACES = 5
LIMIT = 60

USUAL = f"""
with shaped as (
    select root, root_service, leg_set as "set", count(*) as traces from trace_digests group by all
), hopped as (
    select root, root_service, member as fact, sum(traces)::bigint as having_it
    from shaped join fact_sets using ("set") group by all
), rooted as (
    select root, root_service, sum(traces)::bigint as traces from shaped group by all
)
select root, root_service, fact, value
from hopped join rooted using (root, root_service)
join (from fact_values where key = {LEG_KEY}) using (fact)
where traces >= {USUAL_TRACES} and having_it >= {USUAL_SHARE} * traces and having_it < traces
order by having_it / traces, value limit {LIMIT}
"""


class UsualHop(NamedTuple):
    """A hop that most traces with this root have, but not all; ``label`` is ``hop → service``."""

    root: str
    root_service: str
    fact: int
    label: str

    def is_called(self, text: str) -> bool:
        """Whether ``text`` is its label, its hop, or the service that it leads to."""
        return text in (self.label.lower(), *self.label.lower().split(HOP_ARROW))


def usual_hops(reader: duckdb.DuckDBPyConnection) -> list[UsualHop]:
    """The hops that some trace misses."""
    return [UsualHop(*row) for row in reader.execute(USUAL).fetchall()]
