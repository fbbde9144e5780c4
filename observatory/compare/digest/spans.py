"""Compute how the spans of a trace are related: parents, orphans, covered spans, hops and waits.

Each statement reads the temporary tables of the statements before it. ``changed_traces`` holds the
``trace_key`` of the traces to digest; the view ``changed_rows`` has all their raw rows.
"""

from functools import cache

from observatory.journey.rows import QUEUEING_HOPS
from observatory.store.promotions import Promotion, Promotions
from observatory.text_format import message_pattern_sql

CHANGED_BY_ARRIVAL = """
create or replace temp table changed_traces as
select distinct trace_key from raw_spans
where received_unix_nano > $after and received_unix_nano <= $until
"""
# After rows were deleted: every trace with another number of rows than its digest counts.
CHANGED_BY_COUNT = """
create or replace temp table changed_traces as
select trace_key
from (select trace_key, count(*) as n from raw_spans group by trace_key) as raw
full join (
    select trace_key, sum(raw_rows) as n from digested_traces group by trace_key) as digested
using (trace_key)
where raw.n is distinct from digested.n
"""
RECEIVED_SINCE = (
    "select min(first_received) from digested_traces semi join changed_traces using (trace_key)"
)
# Rows are stored in the order of arrival, so the bounds avoid scanning the whole table. New rows
# are selected without looking at their traces.
NEW_ROWS = """
select hash(trace_id) as trace, * from raw_spans
where received_unix_nano > {after:d} and received_unix_nano <= {until:d}
"""
CHANGED_ROWS = """
select hash(trace_id) as trace, * from raw_spans
where received_unix_nano >= {since:d} and received_unix_nano <= {until:d}
    and trace_key in (from changed_traces)
"""
CHANGED_ROWS_VIEW = "create or replace temp view changed_rows as {rows}"
# An exporter that got no response sends again, so spans may be stored twice. The first copy counts.
WITHOUT_COPIES = """
select * from ({rows})
qualify row_number() over (
    partition by trace_id, span_id order by received_unix_nano) = 1
"""
# raw_rows includes copies, because it is compared with the row count of raw_spans.
ROW_COUNTS = """
create or replace temp table row_counts as
select trace, count(*) as raw_rows, min(received) as first_received,
    max(received) as last_received
from changed_spans group by trace
"""
COUNT_COPIES = "select count(*) - count(distinct span) from changed_spans"


@cache
def changed_spans(promotions: Promotions) -> str:
    """Return SQL for the spans in ``changed_rows``, with the columns of promoted attributes."""
    promoted = "".join(f"{each.sql}, " for each in promotions.each)
    return f"""
create or replace temp table changed_spans as
select trace, trace_key, trace_id, hash(trace_id, span_id) as span,
    case when parent_span_id is not null then hash(trace_id, parent_span_id) end as parent,
    span_id, start_unix_nano as began, end_unix_nano as ended, name, kind, status_code,
    case when status_code = 'ERROR' then nullif({message_pattern_sql("status_message")}, '') end
        as error_message,
    root, hop, context, {promoted}service_name, resource_id, schema_id,
    received_unix_nano as received
from changed_rows
"""


LINKED_SPANS = f"""
create or replace temp table linked_spans as
select span.trace, span.span, span.parent, span.began, span.ended, span.root, span.hop,
    span.context, span.service_name as service, span.resource_id,
    span.status_code = 'ERROR' as error,
    span.parent is not null and parent.span is null as orphan,
    span.parent is null and span.root is null
        and coalesce(span.context in ('absent', 'invalid'), false) as lost_context,
    coalesce(parent.began < span.began, false) as after_parent,
    parent.service_name as sender,
    coalesce(span.hop, parent.hop) as via,
    span.kind in ('SERVER', 'CONSUMER') or parent.span is null
        or parent.service_name <> span.service_name as receives,
    case when (span.kind = 'CONSUMER'
            or span.kind = 'SERVER' and span.hop in ({", ".join(map(repr, QUEUEING_HOPS))}))
            and span.began > parent.ended
        then (span.began - parent.ended) / 1e6 end as wait_ms,
    greatest(span.ended - span.began, 0) / 1e6 as duration_ms
from changed_spans as span left join changed_spans as parent on parent.span = span.parent
"""

# A span is covered when its stored parents lead to a root: a span that has no parent, unless it
# reports that it should have received a context and did not. ``legs.covered_spans`` computes the
# same for one trace, and a test compares the two. A trace in which every span without a parent is a
# root, and every other span starts after its stored parent, has no cycle of parents: all its spans
# are covered. Only the other traces, uncertain_traces, need the recursive query.
COVERED = """
create or replace temp table uncertain_traces as
select trace from linked_spans
group by trace
having bool_or(orphan or lost_context or not after_parent and parent is not null);

create or replace temp table connected_spans as
with recursive candidates as materialized (
    select trace, span, parent, lost_context, orphan
    from linked_spans semi join uncertain_traces using (trace)
), connected_spans(span, covered) as (
    select span, not orphan from candidates where parent is null and not lost_context or orphan
    union
    select child.span, connected_spans.covered
    from candidates as child join connected_spans on child.parent = connected_spans.span
)
from connected_spans;

create or replace temp view spans_with_coverage as
select *,
    trace not in (from uncertain_traces)
        or span in (select span from connected_spans where covered) as covered,
    span in (select span from connected_spans where not covered) as awaiting
from linked_spans;
"""

INSERT_SERVICES = """
insert into digested_services by name
select trace, service, any_value(resource_id) as resource_id, min(began) as began,
    count(*) as spans, count(*) filter (where error) as errors,
    count(*) filter (where covered) as covered, count(*) filter (where awaiting) as awaiting,
    count(*) filter (where orphan) as orphans
from spans_with_coverage group by trace, service
"""
INSERT_LINKS = """
insert into trace_links by name
with links as (
    select trace, trace_id, span_id, service_name as service, name, unnest(list_zip(
        json_extract_string(links, '$[*].trace_id'), json_extract_string(links, '$[*].span_id')
    )) as link
    from changed_rows where links <> '[]'
)
select trace, hash(link[1]) as target, link[2] as target_span_id, trace_id, span_id, service, name
from links where link[1] <> trace_id
"""
INSERT_HOPS = """
insert into digested_hops by name
select trace, began, hop, via, sender, service as receiver, receives, duration_ms, wait_ms, error,
    context, orphan, root
from linked_spans where receives or hop is not null
"""


@cache
def trace_totals(promotions: Promotions) -> str:
    """Return SQL for the totals of each trace: extent, root, subject, state and counts."""
    subject, state = _earliest(promotions.subject), _latest(promotions.state)
    return f"""
create or replace temp table trace_totals as
with extents as (
    select trace, any_value(trace_key) as trace_key, any_value(trace_id) as trace_id,
        min(began) as started, max(greatest(began, ended)) as ended,
        coalesce(arg_min(name, began) filter (where parent is null), arg_min(name, began)) as root,
        coalesce(
            arg_min(service_name, began) filter (where parent is null), arg_min(service_name, began)
        ) as root_service,
        {subject} as subject, {state} as state
    from changed_spans group by trace
), span_counts as (
    select trace, count(*) as spans, count(*) filter (where error) as errors,
        count(*) filter (where orphan) as orphans, count(*) filter (where covered) as covered,
        count(*) filter (where awaiting) as awaiting
    from spans_with_coverage group by trace
)
select * from extents join span_counts using (trace) join row_counts using (trace)
"""


def _earliest(promotion: Promotion | None) -> str:
    if promotion is None:
        return "null::varchar"
    return f"arg_min({promotion.sql}, began) filter (where {promotion.sql} is not null)"


def _latest(promotion: Promotion | None) -> str:
    # By the end: a listener that is notified late of an early state must not count as the latest.
    if promotion is None:
        return "null::varchar"
    return f"arg_max({promotion.sql}, (ended, span_id)) filter (where {promotion.sql} is not null)"


TEMPORARY = (
    "changed_spans",
    "row_counts",
    "linked_spans",
    "uncertain_traces",
    "connected_spans",
    "trace_totals",
    "changed_traces",
)
