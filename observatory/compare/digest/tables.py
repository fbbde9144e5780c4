"""The tables of the digests.

A *fact* is a key and a value that a span of the trace has; filters and comparisons use facts. A key
is identified by the hash of its name, a fact by the hash of its key and value. ``fact_values`` has
the text of each fact. A *wide* key has values that hardly ever occur twice, such as message ids, or
many different numbers: its facts are stored in ``wide_facts``, without text.
"""

import duckdb

from observatory.store.promotions import promotions_of

# Increase with every change of the tables or of their contents.
_VERSION = 6

TABLES = """
create table digest_state (
    version varchar not null,
    watermark bigint not null,      -- raw rows received up to this time are digested
    raw_rows bigint not null        -- the number of these rows
);
create table trace_digests (
    trace ubigint not null,         -- hash of the trace id; the join key of these tables
    trace_key ubigint not null,     -- as in raw_spans; two traces may share one
    trace_id varchar not null,
    started bigint not null, ended bigint not null, duration_ms double not null,
    root varchar not null, root_service varchar not null, subject varchar, state varchar,
    spans bigint not null, errors bigint not null, orphans bigint not null,
    covered bigint not null,        -- spans that lead to a root
    attempts bigint,
    facts ubigint[] not null,       -- the facts of keys that are not wide
    key_set ubigint not null,       -- the set of all its keys, in fact_sets
    leg_set ubigint not null,       -- the set of its hops' facts, in fact_sets
    number_keys ubigint[] not null, -- the keys with numbers
    least double[] not null,        -- the smallest number of each
    most double[] not null,         -- the largest number of each
    raw_rows bigint not null,
    first_received bigint not null, last_received bigint not null
);
create table trace_services (
    trace ubigint not null, service varchar not null, resource_id ubigint not null,
    began bigint not null, spans bigint not null, errors bigint not null, covered bigint not null,
    orphans bigint not null
);
-- Every span that names a hop or starts a leg ("receives"); "via" is its hop, or else its parent's.
create table trace_hops (
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
BY_TRACE = ("trace_digests", "trace_services", "trace_hops", "wide_facts")
NAMES = ("digest_state", *BY_TRACE, "fact_keys", "fact_values", "fact_sets")


def prepare(cursor: duckdb.DuckDBPyConnection) -> None:
    """Create the tables, unless the file has those of this version."""
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
    for name in NAMES:
        cursor.execute(f"drop table if exists {name}")
    cursor.execute(TABLES)
    cursor.execute("insert into digest_state values (?, -1, 0)", [version])
    cursor.commit()
