"""The hops that most traces with the same root have, and some lack."""

from typing import NamedTuple

import duckdb

from observatory.compare.digest.facts import HOP_ARROW, LEG_KEY

# A hop is usual when this share of at least USUAL_TRACES traces with the same root has it.
USUAL_SHARE = 0.8
USUAL_TRACES = 5
LIMIT = 60

USUAL = f"""
with leg_sets as (
    select root, root_service, leg_set as "set", count(*) as traces from trace_digests group by all
), hop_counts as (
    select root, root_service, member as fact, sum(traces)::bigint as traces_with
    from leg_sets join fact_sets using ("set") group by all
), root_counts as (
    select root, root_service, sum(traces)::bigint as traces from leg_sets group by all
)
select root, root_service, fact, value
from hop_counts join root_counts using (root, root_service)
join (from fact_values where key = {LEG_KEY}) using (fact)
where traces >= {USUAL_TRACES} and traces_with >= {USUAL_SHARE} * traces and traces_with < traces
order by traces_with / traces, value limit {LIMIT}
"""


class UsualHop(NamedTuple):
    """A hop that most but not all traces with this root have; ``label`` is ``hop → service``."""

    root: str
    root_service: str
    fact: int
    label: str

    def has_name(self, text: str) -> bool:
        """Return whether lower-case ``text`` is the label, the hop or the receiving service."""
        return text in (self.label.lower(), *self.label.lower().split(HOP_ARROW))


def usual_hops(reader: duckdb.DuckDBPyConnection) -> list[UsualHop]:
    """Return the usual hops that some traces lack."""
    return [UsualHop(*row) for row in reader.execute(USUAL).fetchall()]
