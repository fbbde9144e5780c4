"""Checks the queries that an Observatory has recorded against rules/firestore.indexes.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cloud import firestore_indexes
from observatory.client import Observatory
from stack import paths
from stack.errors import UserError

INDEXES = paths.ROOT / "rules" / "firestore.indexes.json"

# A fault that is on adds this event (of OpenTelemetry's semantic conventions) to the span that is
# the query's parent.
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
class SeenQuery:
    """A query that was recorded.

    Attributes:
        text: the query, in the format of `db.query.text`.
        services: the services that ran it, comma-separated.
        times: how often it ran.
        trace_id: the latest trace with it.
        missing: descriptions of the indexes that it needs and that do not exist.
    """

    text: str
    services: str
    times: int
    trace_id: str
    missing: tuple[str, ...]


def queries(
    observatory: Observatory, *, every: bool = False, indexes: Any = None
) -> list[SeenQuery]:
    """Return the queries that an Observatory has recorded; those of faults only with `every`.

    `indexes` are those that exist, by default those of rules/firestore.indexes.json.

    Raises:
        UserError: the text of a query can't be parsed.
    """
    indexes = json.loads(INDEXES.read_text()) if indexes is None else indexes
    try:
        return [
            SeenQuery(text, services, times, trace_id, tuple(map(str, missing)))
            for text, services, times, trace_id in observatory.ask(
                SEEN.format(every=str(every).lower(), event=EVENT)
            )["rows"]
            for missing in [firestore_indexes.missing(text, indexes)]
        ]
    except firestore_indexes.Unreadable as error:
        raise UserError(
            f"A span's db.query.text cannot be parsed: {error}.",
            hint="Add the form of the query to cloud/firestore_indexes.py.",
        ) from error


def show(seen_queries: list[SeenQuery]) -> None:
    """Print the queries as text."""
    for query in seen_queries:
        print(f"{'✗' if query.missing else '✓'} {query.text}")
        print(f"  {query.times} × by {query.services}; trace {query.trace_id}")
        for index in query.missing:
            print(f"  needs an index on {index}")
    if not seen_queries:
        print("The Observatory has recorded no query yet. Buy a ticket: ./scripts/dev --buy")
