"""From raw rows to what a trace's spans are to each other: parents, orphans, hops and waits.

Each statement stands on the temporary tables of those before it. ``changed_traces`` holds the
``trace_key`` of the traces to digest; the view ``arrived`` all their rows.
"""

from functools import cache

from observatory.journey.rows import QUEUEING_HOPS
from observatory.store.promotions import Promotion, Promotions

CHANGED_BY_ARRIVAL = """
create or replace temp table changed_traces as
select distinct trace_key from raw_spans
where received_unix_nano > $after and received_unix_nano <= $until
"""
# Where rows went: every trace that hasn't as many as it had.
CHANGED_BY_COUNT = """
create or replace temp table changed_traces as
select trace_key
from (select trace_key, count(*) as n from raw_spans group by trace_key) as raw
full join (
    select trace_key, sum(raw_rows) as n from trace_digests group by trace_key) as digested
using (trace_key)
where raw.n is distinct from digested.n
"""
RECEIVED_SINCE = (
    "select min(first_received) from trace_digests semi join changed_traces using (trace_key)"
)
# Rows lie in the file as they came, so that the bounds spare reading most of it. Those of a commit
# that is new need not be looked for by their traces.
NEW_ROWS = """
select hash(trace_id) as trace, * from raw_spans
where received_unix_nano > {after:d} and received_unix_nano <= {until:d}
"""
CHANGED_ROWS = """
select hash(trace_id) as trace, * from raw_spans
where received_unix_nano >= {since:d} and received_unix_nano <= {until:d}
    and trace_key in (from changed_traces)
"""
ARRIVED = "create or replace temp view arrived as {rows}"
# A sender that saw no answer sends again (OTLP delivers at least once): the first copy counts.
ONCE = """
select * from ({rows})
qualify row_number() over (
    partition by trace_id, span_id order by received_unix_nano) = 1
"""
# raw_rows counts copies too: it is compared with what the raw table has.
COUNTED = """
create or replace temp table counted as
select trace, count(*) as raw_rows, min(received) as first_received,
    max(received) as last_received
from fresh group by trace
"""
COPIES = "select count(*) - count(distinct span) from fresh"


@cache
def fresh(promotions: Promotions) -> str:
    """The spans of ``arrived``, with the columns of promoted attributes."""
    promoted = "".join(f"{each.sql}, " for each in promotions.each)
    return f"""
create or replace temp table fresh as
select trace, trace_key, trace_id, hash(trace_id, span_id) as span,
    case when parent_span_id is not null then hash(trace_id, parent_span_id) end as parent,
    span_id, start_unix_nano as began, end_unix_nano as ended, name, kind, status_code, root, hop,
    context, {promoted}service_name, resource_id, shape_id,
    received_unix_nano as received
from arrived
"""


LINKED_SPANS = f"""
create or replace temp table linked_spans as
select span.trace, span.span, span.parent, span.began, span.ended, span.root, span.hop,
    span.context, span.service_name as service, span.resource_id,
    span.status_code = 'ERROR' as error,
    span.parent is not null and parent.span is null as orphan,
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
from fresh as span left join fresh as parent on parent.span = span.parent
"""

# A span is covered when its parents, all stored, lead to a declared root. Journeys work the same
# thing out for one trace in legs.covered_spans; a test holds the two together. Where every span
# began after a parent, up to a declared root, there can be no circle of parents and all are
# covered; only other traces are uncertain_traces.
COVERED = """
create or replace temp table uncertain_traces as
select trace from linked_spans
group by trace
having bool_or(orphan or not after_parent and (parent is not null or root is null));

create or replace temp table covered_spans as
with recursive candidates as materialized (
    select trace, span, parent, root from linked_spans semi join uncertain_traces using (trace)
), covered_spans(span) as (
    select span from candidates where root is not null and parent is null
    union
    select child.span
    from candidates as child join covered_spans on child.parent = covered_spans.span
)
from covered_spans;

create or replace temp view spans_with_coverage as
select *, trace not in (from uncertain_traces) or span in (from covered_spans) as covered
from linked_spans;
"""

KEEP_SERVICES = """
insert into trace_services by name
select trace, service, any_value(resource_id) as resource_id, min(began) as began,
    count(*) as spans, count(*) filter (where error) as errors,
    count(*) filter (where covered) as covered, count(*) filter (where orphan) as orphans
from spans_with_coverage group by trace, service
"""
KEEP_HOPS = """
insert into trace_hops by name
select trace, began, hop, via, sender, service as receiver, receives, duration_ms, wait_ms, error,
    context, orphan, root
from linked_spans where receives or hop is not null
"""


@cache
def trace_totals(promotions: Promotions) -> str:
    """What each trace amounts to: its extent, its root, its subject and its counts."""
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
    from fresh group by trace
), summed as (
    select trace, count(*) as spans, count(*) filter (where error) as errors,
        count(*) filter (where orphan) as orphans, count(*) filter (where covered) as covered
    from spans_with_coverage group by trace
)
select * from extents join summed using (trace) join counted using (trace)
"""


def _earliest(promotion: Promotion | None) -> str:
    if promotion is None:
        return "null::varchar"
    return f"arg_min({promotion.sql}, began) filter (where {promotion.sql} is not null)"


def _latest(promotion: Promotion | None) -> str:
    # By its end: a page that hears late of an early state still begins to show it late.
    if promotion is None:
        return "null::varchar"
    return f"arg_max({promotion.sql}, (ended, span_id)) filter (where {promotion.sql} is not null)"


TEMPORARY = (
    "fresh",
    "counted",
    "linked_spans",
    "uncertain_traces",
    "covered_spans",
    "trace_totals",
    "changed_traces",
)
