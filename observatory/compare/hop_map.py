"""The map: a graph of services and the hops between them, derived from the spans."""

from typing import Any

import duckdb

from observatory.compare.filter import All, Comparison, Tree, Value, render
from observatory.compare.selection import Selection, now_ms
from observatory.journey.rows import FUNCTION_ATTRIBUTE, PARTY_ATTRIBUTE, party_of
from observatory.schemas.map import Map, MapEdge, MapNode

UNKNOWN = "?"
MINUTE_MS = 60_000.0

SELECTED = """
create or replace temp table selected_traces as
select t.trace, t.started from trace_digests as t where {condition}
"""
NODES = f"""
with totals as (
    select service, sum(spans)::bigint as spans, sum(errors)::bigint as errors,
        any_value(attributes['{PARTY_ATTRIBUTE}']) as party,
        any_value(attributes['{FUNCTION_ATTRIBUTE}']) as function
    from trace_services semi join selected_traces using (trace)
    left join resources using (resource_id)
    group by service
), receiving as (
    select receiver as service, quantile_cont(duration_ms, [0.5, 0.95]) as quantiles
    from trace_hops semi join selected_traces using (trace) where receives group by receiver
)
select service, party, function, spans, errors, quantiles
from totals left join receiving using (service) order by service
"""
# A declared root has no sender, so it is not an edge. A receiver whose parent is not stored, or
# that found no context, is attributed to the usual sender of its hop, if there is one.
EDGES = f"""
with handovers as (
    select * from trace_hops semi join selected_traces using (trace)
    where receives and (sender is not null or orphan or root is null and via is not null)
), usual_senders as (
    select via, receiver, mode(sender) as usual_sender from handovers where sender is not null
    group by via, receiver
)
select coalesce(sender, usual_sender, '{UNKNOWN}') as sender, handovers.receiver, handovers.via,
    count(*),
    count(*) filter (where error),
    quantile_cont(duration_ms, [0.5, 0.95]), quantile_cont(wait_ms, [0.5, 0.95]),
    count(context), count(*) filter (where context = 'carried'),
    count(*) filter (where context <> 'carried' and root is null),
    count(*) filter (where orphan)
from handovers left join usual_senders
    on usual_senders.receiver = handovers.receiver
    and usual_senders.via is not distinct from handovers.via
group by all order by all
"""
EXTENT = "select min(started), max(started) from selected_traces"


def hop_map(reader: duckdb.DuckDBPyConnection, selection: Selection) -> Map:
    """Return the map of the selected traces."""
    condition = selection.condition(reader)
    reader.execute(SELECTED.format(condition=condition.sql), condition.values)
    minutes = _minutes(reader, selection)
    nodes: list[MapNode] = [
        {
            "id": service,
            "service": service,
            "party": party_of(service, {PARTY_ATTRIBUTE: party, FUNCTION_ATTRIBUTE: function}),
            "spans": spans,
            "errors": errors,
            "p50_ms": quantiles[0] if quantiles else None,
            "p95_ms": quantiles[1] if quantiles else None,
        }
        for service, party, function, spans, errors, quantiles in reader.execute(NODES).fetchall()
    ]
    edges = [_edge(row, minutes) for row in reader.execute(EDGES).fetchall()]
    if any(edge["from"] == UNKNOWN for edge in edges):
        nodes.append(
            {
                "id": UNKNOWN,
                "service": UNKNOWN,
                "party": "service",
                "spans": 0,
                "errors": 0,
                "p50_ms": None,
                "p95_ms": None,
            }
        )
    return {"nodes": nodes, "edges": edges}


def _edge(row: tuple[Any, ...], minutes: float) -> MapEdge:
    sender, receiver, hop, count, errors, durations, waits, reported, carried, lost, orphans = row
    terms: list[Tree] = [
        Comparison("service", "=", Value(receiver)),
        Comparison("orphans", ">", Value("0", 0.0)),
    ]
    if hop is not None:
        terms.insert(0, Comparison("hop", "=", Value(hop)))
    return {
        "from": sender,
        "to": receiver,
        "hop": hop,
        "count": count,
        "per_minute": count / minutes,
        "errors": errors,
        "p50_ms": durations[0],
        "p95_ms": durations[1],
        "wait_p50_ms": waits[0] if waits else None,
        "wait_p95_ms": waits[1] if waits else None,
        "carried": carried / reported if reported else None,
        "orphans": orphans,
        "broken": orphans > 0 or lost > 0,
        "orphan_filter": render(All(tuple(terms))),
    }


def _minutes(reader: duckdb.DuckDBPyConnection, selection: Selection) -> float:
    """Return the length of the selection's time range, or of its traces if the range is open."""
    first, last = reader.execute(EXTENT).fetchone() or (None, None)
    low = selection.from_ms if selection.from_ms is not None else (first or 0) / 1e6
    high = selection.to_ms
    if high is None:
        high = now_ms() if selection.from_ms is not None else (last or 0) / 1e6
    return max(high - low, MINUTE_MS) / MINUTE_MS
