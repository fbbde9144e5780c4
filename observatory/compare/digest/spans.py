"""From raw rows to what a trace's spans are to each other: parents, orphans, hops and waits.

Each statement stands on the temporary tables of those before it. ``touched`` holds the
``trace_key`` of the traces to digest; the view ``arrived`` all their rows.
"""

from observatory.journey.rows import QUEUEING_HOPS

TOUCHED_BY_ARRIVAL = """
create or replace temp table touched as
select distinct trace_key from raw_spans
where received_unix_nano > $after and received_unix_nano <= $until
"""
# Where rows went: every trace that hasn't as many as it had.
TOUCHED_BY_COUNT = """
create or replace temp table touched as
select trace_key
from (select trace_key, count(*) as n from raw_spans group by trace_key) as raw
full join (
    select trace_key, sum(raw_rows) as n from trace_digests group by trace_key) as digested
using (trace_key)
where raw.n is distinct from digested.n
"""
RECEIVED_SINCE = "select min(first_received) from trace_digests semi join touched using (trace_key)"
# Rows lie in the file as they came, so that the bounds spare reading most of it. Those of a commit
# that is new need not be looked for by their traces.
NEW_ROWS = """
select hash(trace_id) as trace, * from raw_spans
where received_unix_nano > {after:d} and received_unix_nano <= {until:d}
"""
TOUCHED_ROWS = """
select hash(trace_id) as trace, * from raw_spans
where received_unix_nano >= {since:d} and received_unix_nano <= {until:d}
    and trace_key in (from touched)
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

FRESH = """
create or replace temp table fresh as
select trace, trace_key, trace_id, hash(trace_id, span_id) as span,
    case when parent_span_id is not null then hash(trace_id, parent_span_id) end as parent,
    span_id, start_unix_nano as began, end_unix_nano as ended, name, kind, status_code, root, hop,
    context, order_id, order_state, service_name, resource_id, shape_id,
    received_unix_nano as received
from arrived
"""
JUDGED = f"""
create or replace temp table judged as
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
# covered; only other traces are walked.
COVERED = """
create or replace temp table walked as
select trace from judged
group by trace
having bool_or(orphan or not after_parent and (parent is not null or root is null));

create or replace temp table reached as
with recursive strolled as materialized (
    select trace, span, parent, root from judged semi join walked using (trace)
), reached(span) as (
    select span from strolled where root is not null and parent is null
    union
    select child.span from strolled as child join reached on child.parent = reached.span
)
from reached;

create or replace temp view settled as
select *, trace not in (from walked) or span in (from reached) as covered from judged;
"""

KEEP_SERVICES = """
insert into trace_services by name
select trace, service, any_value(resource_id) as resource_id, min(began) as began,
    count(*) as spans, count(*) filter (where error) as errors,
    count(*) filter (where covered) as covered, count(*) filter (where orphan) as orphans
from settled group by trace, service
"""
KEEP_HOPS = """
insert into trace_hops by name
select trace, began, hop, via, sender, service as receiver, receives, duration_ms, wait_ms, error,
    context, orphan, root
from judged where receives or hop is not null
"""
WHOLE = """
create or replace temp table whole as
with told as (
    select trace, any_value(trace_key) as trace_key, any_value(trace_id) as trace_id,
        min(began) as started, max(greatest(began, ended)) as ended,
        coalesce(arg_min(name, began) filter (where parent is null), arg_min(name, began)) as root,
        coalesce(
            arg_min(service_name, began) filter (where parent is null), arg_min(service_name, began)
        ) as root_service,
        arg_min(order_id, began) filter (where order_id is not null) as order_id,
        arg_max(order_state, (ended, span_id)) filter (where order_state is not null) as order_state
    from fresh group by trace
), summed as (
    select trace, count(*) as spans, count(*) filter (where error) as errors,
        count(*) filter (where orphan) as orphans, count(*) filter (where covered) as covered
    from settled group by trace
)
select * from told join summed using (trace) join counted using (trace)
"""
TEMPORARY = ("fresh", "counted", "judged", "walked", "reached", "whole", "touched")
