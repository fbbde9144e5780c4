"""What is in the file: its tables. ``views`` has what a person asks of.

Attributes are a map of plain text beside one letter an attribute, in the map's order, that says
what the text stands for (see ``store.values``), so that SQL compares them without unpacking JSON
and nothing of what was sent is lost. Spans, of which there are the most, keep their values alone:
keys and letters are stored once for all spans of the same *shape*. The view ``whole_spans``
has both together.
"""

SCHEMA_VERSION = 4

TABLES = """
create table observatory_schema (version integer not null);
-- Attributes of which raw_spans has a column each, beside those below; see store.promotions.
create table promoted_attributes (
    position integer not null, column_name varchar not null, attribute varchar not null,
    filter_key varchar not null, description varchar not null, trace_description varchar not null,
    role varchar
);

create table raw_spans (
    -- The halves of the trace id, big-endian, XORed: what to group and join by.
    trace_key ubigint not null,
    trace_id varchar not null, span_id varchar not null, parent_span_id varchar,
    name varchar not null, kind varchar not null,
    start_unix_nano bigint not null, end_unix_nano bigint not null,
    status_code varchar not null, status_message varchar not null, trace_state varchar not null,
    shape_id ubigint not null, attribute_values varchar[] not null,
    events varchar not null, links varchar not null,
    root varchar, hop varchar, context varchar,
    service_name varchar not null, scope_name varchar not null, resource_id ubigint not null,
    received_unix_nano bigint not null
);
create table span_shapes (
    shape_id ubigint not null, attribute_keys varchar[] not null, attribute_types varchar not null
);
create table raw_logs (
    trace_key ubigint, trace_id varchar, span_id varchar, time_unix_nano bigint not null,
    severity_number integer not null, severity_text varchar not null, event_name varchar not null,
    body varchar not null,
    attributes map(varchar, varchar) not null, attribute_types varchar not null,
    service_name varchar not null, scope_name varchar not null, resource_id ubigint not null,
    received_unix_nano bigint not null
);
create table raw_metrics (
    name varchar not null, description varchar not null, unit varchar not null,
    type varchar not null, is_monotonic boolean, temporality varchar,
    time_unix_nano bigint not null, start_unix_nano bigint,
    value double, count ubigint, sum double, bounds double[], bucket_counts ubigint[],
    attributes map(varchar, varchar) not null, attribute_types varchar not null,
    service_name varchar not null, scope_name varchar not null, resource_id ubigint not null,
    received_unix_nano bigint not null
);
create table resources (
    resource_id ubigint not null,
    attributes map(varchar, varchar) not null, attribute_types varchar not null
);
"""
