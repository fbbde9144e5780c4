"""Many traces at once: the list of traces, and context coverage over everything stored."""

from dataclasses import dataclass
from typing import Any

import duckdb

from observatory.journey import journey_of, timestamp
from observatory.shapes import Coverage, HopCoverage, Journey, ServiceCoverage, TraceLine

BROKEN_LIMIT = 20

# A span is covered when its parents, all stored, lead to a declared root. Journeys work the same
# thing out for one trace in legs.covered_spans; a test holds the two together.
WITH_COVERAGE = """
with recursive picked as materialized (
    select * from spans where {condition}
), covered(trace_id, span_id) as (
    select trace_id, span_id from picked where root is not null and parent_span_id is null
    union
    select child.trace_id, child.span_id
    from picked as child
    join covered on child.trace_id = covered.trace_id and child.parent_span_id = covered.span_id
), judged as (
    select picked.*,
        covered.span_id is not null as covered,
        picked.parent_span_id is not null and parent.span_id is null as orphan
    from picked
    left join covered
        on covered.trace_id = picked.trace_id and covered.span_id = picked.span_id
    left join picked as parent
        on parent.trace_id = picked.trace_id and parent.span_id = picked.parent_span_id
)
"""

TRACE_LINES = (
    WITH_COVERAGE
    + """
select
    trace_id,
    coalesce(
        arg_min(name, start_unix_nano) filter (where parent_span_id is null),
        arg_min(name, start_unix_nano)) as root,
    coalesce(
        arg_min(service_name, start_unix_nano) filter (where parent_span_id is null),
        arg_min(service_name, start_unix_nano)) as root_service,
    arg_min(order_id, start_unix_nano) filter (where order_id is not null) as order_id,
    arg_max(order_state, (end_unix_nano, span_id))
        filter (where order_state is not null) as order_state,
    list(service_name order by start_unix_nano) as services,
    count(*) as spans,
    count(*) filter (where status_code = 'ERROR') as errors,
    count(*) filter (where orphan) as orphans,
    count(*) filter (where covered) / count(*) as coverage,
    min(start_unix_nano) as started,
    max(greatest(start_unix_nano, end_unix_nano)) as ended
from judged
group by trace_id
order by started desc, trace_id
"""
)

COVERAGE_BY_SERVICE = (
    WITH_COVERAGE.format(condition="true")
    + """
select service_name, count(*), count(*) filter (where covered), count(*) filter (where orphan)
from judged group by service_name order by service_name
"""
)

COVERAGE_BY_HOP = (
    WITH_COVERAGE.format(condition="true")  # noqa: S608
    + """
select hop,
    count(*) filter (where context = 'carried'),
    count(*) filter (where context = 'absent'),
    count(*) filter (where context = 'invalid'),
    count(*) filter (where orphan)
from (
    select hop, orphan,
        json_extract_string(attributes, '$."throughline.context"') as context
    from judged where hop is not null
) group by hop order by hop
"""
)

ROOTS_BY_KIND = """
select root, count(*) from spans where root is not null and parent_span_id is null
group by root order by root
"""

BROKEN_TRACES = (
    WITH_COVERAGE.format(condition="true")
    + """
select trace_id from judged
group by trace_id having bool_or(orphan) or not bool_and(covered)
order by min(start_unix_nano) desc limit $limit
"""
)


@dataclass(frozen=True)
class Filter:
    """Which traces to list; a trace is listed when one of its spans matches all that is set.

    ``text`` is looked for, whatever its case, in span names, services, order ids and states, and
    at the start of trace ids.
    """

    order_id: str | None = None
    trace_id_prefix: str | None = None
    service: str | None = None
    text: str | None = None

    def condition(self) -> tuple[str, dict[str, Any]]:
        """An SQL condition on ``raw_spans`` and its parameters."""
        parts: list[str] = []
        values: dict[str, Any] = {}
        if self.order_id is not None:
            parts.append("order_id = $order_id")
            values["order_id"] = self.order_id
        if self.trace_id_prefix is not None:
            parts.append("starts_with(trace_id, $trace_id_prefix)")
            values["trace_id_prefix"] = self.trace_id_prefix.lower()
        if self.service is not None:
            parts.append("service_name = $service")
            values["service"] = self.service
        for index, word in enumerate((self.text or "").lower().split()):
            searched = ("name", "service_name", "order_id", "order_state")
            found = " or ".join(f"contains(lower({column}), $w{index})" for column in searched)
            parts.append(f"(starts_with(trace_id, $w{index}) or {found})")
            values[f"w{index}"] = word
        return " and ".join(parts) or "true", values


def list_traces(
    reader: duckdb.DuckDBPyConnection, filter_: Filter, limit: int
) -> tuple[int, list[TraceLine]]:
    """How many traces match, and the newest ``limit`` of them, newest first."""
    condition, values = filter_.condition()
    chosen = reader.execute(
        f"""
        select trace_id, count(*) over () as total
        from raw_spans
        where trace_id in (select trace_id from raw_spans where {condition})
        group by trace_id order by min(start_unix_nano) desc, trace_id limit $limit
        """,  # noqa: S608
        values | {"limit": limit},
    ).fetchall()
    return (chosen[0][1] if chosen else 0), trace_lines(reader, [row[0] for row in chosen])


def trace_lines(reader: duckdb.DuckDBPyConnection, trace_ids: list[str]) -> list[TraceLine]:
    """A line for each of these traces that is stored, newest first."""
    found = reader.execute(
        TRACE_LINES.format(condition="trace_id in (select unnest($trace_ids::varchar[]))"),
        {"trace_ids": trace_ids},
    ).fetchall()
    return [
        {
            "trace_id": row[0],
            "root": row[1],
            "root_service": row[2],
            "order_id": row[3],
            "order_state": row[4],
            "services": list(dict.fromkeys(row[5])),
            "spans": row[6],
            "errors": row[7],
            "orphans": row[8],
            "coverage": row[9],
            "started_unix_nano": str(row[10]),
            "started_at": timestamp(row[10]),
            "duration_ms": (row[11] - row[10]) / 1_000_000,
        }
        for row in found
    ]


def read_journey(reader: duckdb.DuckDBPyConnection, trace_id: str) -> Journey | None:
    """The journey of one trace; None while none of its spans is stored."""
    spans = _rows(reader, "select * from spans where trace_id = $trace_id", trace_id)
    if not spans:
        return None
    logs = _rows(reader, "select * from logs where trace_id = $trace_id", trace_id)
    linked = reader.execute(
        """
        select distinct trace_id from raw_spans where trace_id in (
            select unnest(from_json(links, '[{"trace_id": "varchar"}]')).trace_id
            from spans where trace_id = $trace_id)
        """,
        {"trace_id": trace_id},
    ).fetchall()
    return journey_of(trace_id, spans, logs, {row[0] for row in linked})


def coverage_of_everything(reader: duckdb.DuckDBPyConnection) -> Coverage:
    """Context coverage over every span stored, by service and by hop; the traces that break it."""
    by_service = reader.execute(COVERAGE_BY_SERVICE).fetchall()
    services: list[ServiceCoverage] = [
        {"service": service, "spans": spans, "covered": covered, "orphans": orphans}
        for service, spans, covered, orphans in by_service
    ]
    hops: list[HopCoverage] = [
        {"hop": hop, "carried": carried, "absent": absent, "invalid": invalid, "orphans": orphans}
        for hop, carried, absent, invalid, orphans in reader.execute(COVERAGE_BY_HOP).fetchall()
    ]
    spans = sum(service["spans"] for service in services)
    covered = sum(service["covered"] for service in services)
    broken = reader.execute(BROKEN_TRACES, {"limit": BROKEN_LIMIT}).fetchall()
    traces = reader.execute("select count(distinct trace_id) from raw_spans").fetchone()
    return {
        "spans": spans,
        "traces": traces[0] if traces else 0,
        "covered": covered,
        "orphans": sum(service["orphans"] for service in services),
        "coverage": covered / spans if spans else None,
        "services": services,
        "hops": hops,
        "roots": dict(reader.execute(ROOTS_BY_KIND).fetchall()),
        "broken": trace_lines(reader, [row[0] for row in broken]),
    }


def _rows(reader: duckdb.DuckDBPyConnection, query: str, trace_id: str) -> list[dict[str, Any]]:
    result = reader.execute(query, {"trace_id": trace_id})
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
