"""Define and document the SQL views for users: ``spans``, ``logs``, ``traces``, ``hops`` and
``metrics``.

The tables are laid out for speed, the views for people. Times are timestamps with a time zone, so
``start_time > now() - interval '1 hour'`` works as expected; durations are in milliseconds.
"""

from typing import NamedTuple

import duckdb

from observatory.store.promotions import Promotion, Promotions
from observatory.text_format import message_pattern_sql


class View(NamedTuple):
    """A view: its name, what one row is, its columns with their descriptions, and its query."""

    name: str
    description: str
    columns: dict[str, str]
    query: str


# Spans joined with their attribute keys; used by the Observatory's own queries only.
WHOLE_SPANS = """
create or replace view whole_spans as
select * exclude (attribute_keys, attribute_values, schema_id),
    map(attribute_keys, attribute_values) as attributes
from raw_spans left join attribute_schemas using (schema_id)
"""

LOGS = View(
    "logs",
    "One row for each log record.",
    {
        "time": "when it was written",
        "severity": "INFO, WARN, ERROR …, as the sender named it",
        "severity_number": "1 (trace) to 24 (fatal); 9 is INFO, 17 is ERROR",
        "service": "the service that wrote it",
        "body": "the message",
        "event_name": "the event's name, if the record is an event",
        "trace_id": "the trace it belongs to; null if it has none",
        "span_id": "the span it was written in; null if it has none",
        "attributes": "all attributes, as text",
        "resource": "the attributes of the process",
        "scope": "the instrumentation that made it",
        "received_time": "when it was stored",
    },
    """
    select make_timestamptz(time_unix_nano // 1000) as time,
        severity_text as severity, severity_number, service_name as service,
        body, event_name, trace_id, span_id,
        l.attributes, r.attributes as resource, scope_name as scope,
        make_timestamptz(received_unix_nano // 1000) as received_time
    from raw_logs as l left join resources as r using (resource_id)
    """,
)

METRICS = View(
    "metrics",
    "One row for each point of a metric.",
    {
        "name": "the metric's name",
        "service": "the service that measured it",
        "type": "gauge, sum, histogram, exponential_histogram or summary",
        "unit": "the unit of the values",
        "time": "when it was measured",
        "start_time": "when counting started; null for a gauge",
        "value": "the value of a gauge or a sum",
        "count": "how many values a histogram has",
        "sum": "their sum",
        "max": "the largest of them since the start, if the sender reports it",
        "bounds": "the upper bounds of its buckets",
        "bucket_counts": "how many values each bucket has",
        "is_monotonic": "whether a sum only increases",
        "temporality": "cumulative (since the start) or delta (since the previous point)",
        "attributes": "all attributes, as text",
        "resource": "the attributes of the process",
        "description": "the metric's description",
    },
    """
    select name, service_name as service, type, unit,
        make_timestamptz(time_unix_nano // 1000) as time,
        make_timestamptz(start_unix_nano // 1000) as start_time,
        value, count, sum, max_value as max, bounds, bucket_counts, is_monotonic, temporality,
        m.attributes, r.attributes as resource, description
    from raw_metrics as m left join resources as r using (resource_id)
    """,
)


def _spans(promotions: Promotions) -> View:
    """Return the view of spans."""
    columns = "".join(f" {each.sql}," for each in promotions.each)
    return View(
        "spans",
        "One row for each span.",
        {
            "trace_id": "the trace's id, 32 hexadecimal digits",
            "span_id": "the span's id, 16 hexadecimal digits",
            "parent_span_id": "the id of the span that caused it; null for a root",
            "name": "the name of the operation",
            "kind": "INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER or UNSPECIFIED",
            "service": "the service: page, firestore.rules, a function's name, acquirer",
            "start_time": "when it began",
            "end_time": "when it ended",
            "duration_ms": "how long it took",
            "status": "UNSET, OK or ERROR",
            "status_message": "why it failed",
            "error_pattern": "the same, with # for each id and number: group errors by it",
            "hop": "the kind of hop it sends or receives, such as trigger, pubsub, webhook",
            "context": "whether the receiver got a trace context: carried, absent or invalid",
            "declared_root": "for a declared root, which kind",
            **{each.column: each.description for each in promotions.each},
            "attributes": "all attributes, as text: attributes['http.response.status_code']",
            "resource": "the attributes of the process: resource['service.version']",
            "events": "events as JSON, such as exceptions",
            "links": "links to other spans as JSON",
            "scope": "the instrumentation that made it",
            "received_time": "when it was stored",
        },
        f"""
        select trace_id, span_id, parent_span_id, name, kind, service_name as service,
            make_timestamptz(start_unix_nano // 1000) as start_time,
            make_timestamptz(end_unix_nano // 1000) as end_time,
            (end_unix_nano - start_unix_nano) / 1e6 as duration_ms,
            status_code as status, status_message,
            {message_pattern_sql("status_message")} as error_pattern,
            hop, context, root as declared_root,{columns}
            s.attributes, r.attributes as resource, events::json as events, links::json as links,
            scope_name as scope, make_timestamptz(received_unix_nano // 1000) as received_time
        from whole_spans as s left join resources as r using (resource_id)
        """,
    )


def _traces(promotions: Promotions) -> View:
    """Return the view of traces."""
    values = "".join(f",\n        {_trace_value(each)} as {each.sql}" for each in promotions.each)
    return View(
        "traces",
        "One row for each trace, aggregated from its spans.",
        {
            "trace_id": "the trace's id",
            "root": "the name of its first span",
            "root_service": "the service of that span",
            "start_time": "when its first span began",
            "end_time": "when its last span ended",
            "duration_ms": "the time between the two",
            "spans": "how many spans it has",
            "errors": "how many of them failed",
            "services": "the services of its spans, as a list",
            "hops": "the kinds of hops it crossed, as a sorted list",
            **{each.column: each.trace_description for each in promotions.each},
        },
        f"""
        select trace_id,
            coalesce(
                arg_min(name, start_unix_nano) filter (where parent_span_id is null),
                arg_min(name, start_unix_nano)) as root,
            coalesce(
                arg_min(service_name, start_unix_nano) filter (where parent_span_id is null),
                arg_min(service_name, start_unix_nano)) as root_service,
            make_timestamptz(min(start_unix_nano) // 1000) as start_time,
            make_timestamptz(max(greatest(start_unix_nano, end_unix_nano)) // 1000) as end_time,
            (max(greatest(start_unix_nano, end_unix_nano)) - min(start_unix_nano)) / 1e6
                as duration_ms,
            count(*) as spans,
            count(*) filter (where status_code = 'ERROR') as errors,
            list(distinct service_name) as services,
            list_sort(list(distinct hop) filter (where hop is not null)) as hops{values}
        from raw_spans group by trace_key, trace_id
        """,
    )


def _hops(promotions: Promotions) -> View:
    """Return the view of hops."""
    subject = promotions.subject
    column = "" if subject is None else f", s.{subject.sql}"
    return View(
        "hops",
        "One row for each received hop: sender, receiver, context and wait.",
        {
            "hop": "the kind of hop",
            "carrier": "what the context was carried in",
            "context": "whether a context arrived: carried, absent or invalid",
            "from_service": "the sender's service; null if its span is not stored",
            "service": "the receiver's service",
            "name": "the name of the receiver's span",
            "start_time": "when the receiver began",
            "wait_ms": "from the sender's end to the receiver's start; negative if they overlap",
            "duration_ms": "how long the receiver took",
            "status": "UNSET, OK or ERROR",
            "orphan": "whether the sender's span is referenced but not stored",
            "trace_id": "the trace",
            "span_id": "the receiver's span",
            "parent_span_id": "the sender's span",
            **({} if subject is None else {subject.column: subject.description}),
        },
        f"""
        select s.hop, s.attributes['throughline.carrier'] as carrier, s.context,
            p.service_name as from_service, s.service_name as service, s.name,
            make_timestamptz(s.start_unix_nano // 1000) as start_time,
            (s.start_unix_nano - p.end_unix_nano) / 1e6 as wait_ms,
            (s.end_unix_nano - s.start_unix_nano) / 1e6 as duration_ms,
            s.status_code as status,
            s.parent_span_id is not null and p.span_id is null as orphan,
            s.trace_id, s.span_id, s.parent_span_id{column}
        from whole_spans as s
        left join raw_spans as p
            on p.trace_key = s.trace_key and p.span_id = s.parent_span_id
        where s.hop is not null and s.context is not null
        """,
    )


def _trace_value(promotion: Promotion) -> str:
    if promotion.role == "state":
        return f"arg_max({promotion.sql}, end_unix_nano) filter (where {promotion.sql} is not null)"
    return f"any_value({promotion.sql})"


def views_of(promotions: Promotions) -> tuple[View, ...]:
    """Return every documented view, in the order of the documentation."""
    return (_spans(promotions), LOGS, _traces(promotions), _hops(promotions), METRICS)


def create_views(connection: duckdb.DuckDBPyConnection, promotions: Promotions) -> None:
    """Create or replace the views, so that a file from an earlier build gets the current ones."""
    connection.execute(WHOLE_SPANS)
    for view in views_of(promotions):
        connection.execute(f"create or replace view {view.name} as {view.query}")
