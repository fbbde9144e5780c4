"""The tables of digests.

A *fact* is a key and a value that one of a trace's spans has, by which traces are found and
compared. A key is identified by a hash of its name, a fact by a hash of its key and its value.
``fact_values`` says what the facts are that traces share. A *wide* key is one whose values hardly
ever occur twice, such as the id of each message, or a number of many values: only that a trace has
the fact is kept then, and the number.
"""

import duckdb

from observatory.store.promotions import promotions_of

# Counts up with every change to the tables, or to what is written into them.
_VERSION = 5

TABLES = """
create table digest_state (
    version varchar not null,
    watermark bigint not null,      -- raw rows received up to then are in the digests,
    raw_rows bigint not null        -- and so many they are
);
create table trace_digests (
    trace ubigint not null,         -- hash of the trace id, by which these tables are joined
    trace_key ubigint not null,     -- as in raw_spans, where two traces may share one
    trace_id varchar not null,
    started bigint not null, ended bigint not null, duration_ms double not null,
    root varchar not null, root_service varchar not null, subject varchar, state varchar,
    spans bigint not null, errors bigint not null, orphans bigint not null,
    covered bigint not null,        -- spans that lead to a declared root
    attempts bigint,
    facts ubigint[] not null,       -- those of keys that aren't wide
    key_set ubigint not null,       -- all its keys,
    leg_set ubigint not null,       -- and its legs, each as one member of fact_sets
    number_keys ubigint[] not null, -- the keys whose values are numbers,
    least double[] not null,        -- the smallest number of each,
    most double[] not null,         -- and the largest
    raw_rows bigint not null,
    first_received bigint not null, last_received bigint not null
);
create table trace_services (
    trace ubigint not null, service varchar not null, resource_id ubigint not null,
    began bigint not null, spans bigint not null, errors bigint not null, covered bigint not null,
    orphans bigint not null
);
-- Every span that names a hop or begins a leg ("receives"); "via" is its hop, else its parent's.
create table trace_hops (
    trace ubigint not null, began bigint not null, hop varchar, via varchar, sender varchar,
    receiver varchar not null, receives boolean not null, duration_ms double not null,
    wait_ms double, error boolean not null, context varchar, orphan boolean not null, root varchar
);
create table fact_keys (
    key ubigint not null, name varchar not null,
    numeric boolean not null,       -- its values are sent as numbers
    wide boolean not null,
    known ubigint not null,         -- how many of its values are in fact_values
    recheck_at ubigint not null     -- at how many to see again whether it is wide
);
create table fact_values (
    fact ubigint not null, key ubigint not null, value varchar not null, number double
);
-- Sets that many traces have in common, by their hash.
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
    """Make the tables, unless those of this version are there."""
    # Another release of DuckDB may compute other hashes; promoted attributes become other facts.
    promoted = [
        (each.column, each.attribute, each.key, each.role) for each in promotions_of(cursor).each
    ]
    version = f"{_VERSION} {duckdb.__version__} {promoted}"
    there = {
        name for (name,) in cursor.execute("select table_name from duckdb_tables()").fetchall()
    }
    if "digest_state" in there:
        found = cursor.execute("select version from digest_state").fetchone()
        if found == (version,):
            return
    cursor.begin()
    for name in NAMES:
        cursor.execute(f"drop table if exists {name}")
    cursor.execute(TABLES)
    cursor.execute("insert into digest_state values (?, -1, 0)", [version])
    cursor.commit()
