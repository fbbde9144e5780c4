"""The tables of the file. Users query the views in ``views`` instead.

Attributes are stored as a map of text values, and a string with one type letter per attribute in
the map's order (see ``store.values``). So SQL can compare values without parsing JSON, and no type
is lost. A span row, the most frequent kind, holds its values only: keys and type letters are stored
once per attribute schema, which many spans share. The view ``whole_spans`` joins both.
"""

SCHEMA_VERSION = 5

TABLES = """
create table observatory_schema (version integer not null);
-- The attributes that have a column of their own in raw_spans; see store.promotions.
create table promoted_attributes (
    position integer not null, column_name varchar not null, attribute varchar not null,
    filter_key varchar not null, description varchar not null, trace_description varchar not null,
    role varchar
);

create table raw_spans (
    -- The key to group and join by: the big-endian halves of the trace id, XORed.
    trace_key ubigint not null,
    trace_id varchar not null, span_id varchar not null, parent_span_id varchar,
    name varchar not null, kind varchar not null,
    start_unix_nano bigint not null, end_unix_nano bigint not null,
    status_code varchar not null, status_message varchar not null, trace_state varchar not null,
    schema_id ubigint not null, attribute_values varchar[] not null,
    events varchar not null, links varchar not null,
    root varchar, hop varchar, context varchar,
    service_name varchar not null, scope_name varchar not null, resource_id ubigint not null,
    received_unix_nano bigint not null
);
create table attribute_schemas (
    schema_id ubigint not null, attribute_keys varchar[] not null, attribute_types varchar not null
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
    max_value double,
    attributes map(varchar, varchar) not null, attribute_types varchar not null,
    service_name varchar not null, scope_name varchar not null, resource_id ubigint not null,
    received_unix_nano bigint not null
);
create table resources (
    resource_id ubigint not null,
    attributes map(varchar, varchar) not null, attribute_types varchar not null
);
"""

# Not in TABLES, because files of this version exist that lack it. One row: which journal belongs to
# the file (see store.journal), and up to which position its requests have been stored. DuckDB needs
# no block for a single row of numbers, so this one does not keep a cleared file from shrinking.
JOURNAL_STATE = """
create table if not exists journal_state (journal_id uinteger not null, position ubigint not null)
"""

# The same: the largest value of a histogram, if its sender reports it.
MAX_VALUE = "alter table raw_metrics add column if not exists max_value double"
