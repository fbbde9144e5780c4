"""Check the queries that an Observatory has seen against rules/firestore.indexes.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cloud import firestore_indexes
from observatory.client import Observatory
from stack import paths
from stack.errors import UserError

INDEXES = paths.ROOT / "rules" / "firestore.indexes.json"

# A bug on purpose that is on puts this event, named as OpenTelemetry's conventions say, on the span
# that met it, above the query's.
EVENT = "feature_flag.evaluation"
SEEN = """
select
    query.attributes['db.query.text'] as text,
    string_agg(distinct query.service, ', ' order by query.service) as services,
    count(*) as times,
    arg_max(query.trace_id, query.start_time) as trace_id
from spans as query
left join spans as above
    on above.trace_id = query.trace_id and above.span_id = query.parent_span_id
where query.attributes['db.query.text'] is not null
    and ({every} or coalesce(cast(above.events as varchar), '') not like '%{event}%')
group by text
order by text
"""


@dataclass(frozen=True)
class Asked:
    """A query that was seen: who asked it, how often, and a trace with it. `missing` are the
    indexes that it needs and that are not there."""

    text: str
    services: str
    times: int
    trace_id: str
    missing: tuple[str, ...]


def queries(observatory: Observatory, *, every: bool = False) -> list[Asked]:
    """The queries that an Observatory has seen, those of bugs on purpose only if `every` is asked.

    Raises:
        UserError: one of them can't be read.
    """
    indexes: Any = json.loads(INDEXES.read_text())
    try:
        return [
            Asked(text, services, times, trace_id, tuple(map(str, missing)))
            for text, services, times, trace_id in observatory.ask(
                SEEN.format(every=str(every).lower(), event=EVENT)
            )["rows"]
            for missing in [firestore_indexes.missing(text, indexes)]
        ]
    except firestore_indexes.Unreadable as error:
        raise UserError(f"{error}.") from error


def show(found: list[Asked]) -> None:
    """Print the queries for a person."""
    for asked in found:
        print(f"{'✗' if asked.missing else '✓'} {asked.text}")
        print(f"  {asked.times} × by {asked.services}; trace {asked.trace_id}")
        for index in asked.missing:
            print(f"  needs an index on {index}")
    if not found:
        print("No query was seen yet.")
