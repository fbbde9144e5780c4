"""The tables of the digests.

A *fact* is a key and a value that a span of the trace has; filters and comparisons use facts. A key
is identified by the hash of its name, a fact by the hash of its key and value. ``fact_values`` has
the text of each fact. A *wide* key has values that hardly ever occur twice, such as message ids, or
many different numbers: its facts are stored in ``wide_facts``, without text.
"""

import duckdb

from observatory.store.promotions import promotions_of

# Increase with every change of the tables or of their contents.
_VERSION = 7

TABLES = """
create table digest_state (
    version varchar not null,
    watermark bigint not null,      -- raw rows received up to this time are digested
    raw_rows bigint not null        -- the number of these rows
);
create table digested_traces (
    trace ubigint not null,         -- hash of the trace id; the join key of these tables
    trace_key ubigint not null,     -- as in raw_spans; two traces may share one
    trace_id varchar not null,
    started bigint not null, ended bigint not null, duration_ms double not null,
    root varchar not null, root_service varchar not null, subject varchar, state varchar,
    spans bigint not null, errors bigint not null, orphans bigint not null,
    covered bigint not null,        -- spans that lead to a root
    awaiting bigint not null,       -- spans that lead to a parent that is not stored
    attempts bigint,
    facts ubigint[] not null,       -- the facts of keys that are not wide
    key_set ubigint not null,       -- the set of all its keys, in fact_sets
    leg_set ubigint not null,       -- the set of its hops' facts, in fact_sets
    start_set ubigint not null,     -- the set of the keys of its first span, in fact_sets
    number_keys ubigint[] not null, -- the keys with numbers
    least double[] not null,        -- the smallest number of each
    most double[] not null,         -- the largest number of each
    raw_rows bigint not null,
    first_received bigint not null, last_received bigint not null
);
create table digested_services (
    trace ubigint not null, service varchar not null, resource_id ubigint not null,
    began bigint not null, spans bigint not null, errors bigint not null, covered bigint not null,
    awaiting bigint not null, orphans bigint not null
);
-- For each link of a span to another trace: that trace, and the span with the link.
create table trace_links (
    trace ubigint not null, target ubigint not null, target_span_id varchar not null,
    trace_id varchar not null, span_id varchar not null, service varchar not null,
    name varchar not null
);
-- Every span that names a hop or starts a leg ("receives"); "via" is its hop, or else its parent's.
create table digested_hops (
    trace ubigint not null, began bigint not null, hop varchar, via varchar, sender varchar,
    receiver varchar not null, receives boolean not null, duration_ms double not null,
    wait_ms double, error boolean not null, context varchar, orphan boolean not null, root varchar
);
create table fact_keys (
    key ubigint not null, name varchar not null,
    numeric boolean not null,       -- all its values are numbers
    wide boolean not null,
    known ubigint not null,         -- the number of its values in fact_values
    recheck_at ubigint not null     -- the number at which to check again whether it is wide
);
create table fact_values (
    fact ubigint not null, key ubigint not null, value varchar not null, number double
);
-- Sets of keys or facts, which many traces share, by the hash of their members.
create table fact_sets (
    "set" ubigint not null, member ubigint not null
);
create table wide_facts (
    trace ubigint not null, key ubigint not null, fact ubigint not null, number double
);
"""
BY_TRACE = ("digested_traces", "digested_services", "digested_hops", "trace_links", "wide_facts")
NAMES = ("digest_state", *BY_TRACE, "fact_keys", "fact_values", "fact_sets")

# A parent often arrives later than its children, because a span is exported when it ends. Until a
# trace has received nothing for the grace period, its absent parents are awaited: they are not
# reported as missing, and the spans that lead to them count as covered. Queries read these views.
_AWAITS = "awaiting > 0 and last_received > epoch_ns(now()) - {grace_nano:d}"
_VIEWS = f"""
create or replace view trace_digests as
select * exclude (awaiting) replace (
    case when {_AWAITS} then 0 else orphans end as orphans,
    case when {_AWAITS} then covered + awaiting else covered end as covered)
from digested_traces;

create or replace view awaiting_traces as select trace from digested_traces where {_AWAITS};

create or replace view trace_services as
select * exclude (awaiting) replace (
    case when trace in (from awaiting_traces) then 0 else orphans end as orphans,
    case when trace in (from awaiting_traces) then covered + awaiting else covered end as covered)
from digested_services;

create or replace view trace_hops as
select * replace (orphan and trace not in (from awaiting_traces) as orphan) from digested_hops;
"""
GRACE_SECONDS = 10.0
# Tables of earlier versions, of which some have the names of the views.
_FORMER_NAMES = ("trace_digests", "trace_services", "trace_hops")


def prepare(cursor: duckdb.DuckDBPyConnection, grace_seconds: float = GRACE_SECONDS) -> None:
    """Create the tables, unless the file has those of this version, and the views.

    Args:
        cursor: a cursor that may write.
        grace_seconds: how long an absent parent is awaited after a trace's last span arrived.
    """
    _create_tables(cursor)
    cursor.execute(_VIEWS.format(grace_nano=round(grace_seconds * 1e9)))


def _create_tables(cursor: duckdb.DuckDBPyConnection) -> None:
    # Another release of DuckDB may compute other hashes, and promoted attributes change the facts.
    promoted = [
        (each.column, each.attribute, each.key, each.role) for each in promotions_of(cursor).each
    ]
    version = f"{_VERSION} {duckdb.__version__} {promoted}"
    tables = {
        name for (name,) in cursor.execute("select table_name from duckdb_tables()").fetchall()
    }
    if "digest_state" in tables:
        stored_version = cursor.execute("select version from digest_state").fetchone()
        if stored_version == (version,):
            return
    cursor.begin()
    for name in tables & {*NAMES, *_FORMER_NAMES}:
        cursor.execute(f"drop table {name}")
    cursor.execute(TABLES)
    cursor.execute("insert into digest_state values (?, -1, 0)", [version])
    cursor.commit()
