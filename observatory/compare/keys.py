"""Suggestions for filters: the keys, and the values of a key."""

from collections.abc import Mapping
from typing import Literal

import duckdb

from observatory.compare.digest.facts import (
    ATTRIBUTE_PREFIX,
    LEG,
    keys_of_attributes,
    span_facts,
)
from observatory.compare.filter import RESERVED_KEYS, WAIT_PREFIX
from observatory.schemas.overview import Key, Keys, Values
from observatory.store.promotions import NO_PROMOTIONS, promotions_of

KEYS_LIMIT = 500
VALUES_LIMIT = 20
EXAMPLES = 5
EXAMPLE_LENGTH_MAX = 80
# The examples of a wide key are taken from this many rows.
SAMPLE_ROWS = 2_000

# Keys of the trace as a whole rather than of its spans.
DERIVED = sorted(RESERVED_KEYS - span_facts(NO_PROMOTIONS).keys())
EXAMPLES_OF_DERIVED = {
    "duration": ["2 s", "300 ms"],
    "span.duration": ["2 s", "300 ms"],
    "error": ["true", "false"],
    "attempts": ["2"],
    "wait": ["200 ms"],
}
KEYS = f"""
select name, numeric, case when wide then (
        select approx_count_distinct(fact) from wide_facts where wide_facts.key = fact_keys.key)
    else 0 end + known, wide,
    (select list(left(value, {EXAMPLE_LENGTH_MAX})) from (
        select value from fact_values where fact_values.key = fact_keys.key
        order by number, value limit {EXAMPLES}))
from fact_keys where contains(lower(name), $prefix) and name <> '{LEG}'
order by starts_with(lower(name), $prefix) desc, name limit {KEYS_LIMIT}
"""
VALUES = f"""
with matching_facts as (
    select fact, value from fact_values
    where key in (select key from fact_keys where name = $key)
        and contains(lower(value), $prefix)
)
select value, count(*) from (select unnest(facts) as fact from trace_digests)
join matching_facts using (fact)
group by value order by starts_with(lower(value), $prefix) desc, count(*) desc, value
limit {VALUES_LIMIT}
"""
ROOTS = f"""
select root, count(*) from trace_digests where contains(lower(root), $prefix)
group by root order by starts_with(lower(root), $prefix) desc, count(*) desc, root
limit {VALUES_LIMIT}
"""
WIDE_VALUES = f"""
select left({{value}}, 1000) as value, count(distinct trace_key)
from raw_spans join attribute_schemas using (schema_id) where contains(lower({{value}}), $prefix)
group by 1 order by starts_with(lower(value), $prefix) desc, 2 desc, 1 limit {VALUES_LIMIT}
"""
SAMPLE = f"""
select distinct {{value}} from (
    select * from raw_spans join attribute_schemas using (schema_id)
    where {{value}} is not null limit {SAMPLE_ROWS}
) limit {EXAMPLES}
"""


def keys(reader: duckdb.DuckDBPyConnection, prefix: str) -> Keys:
    """Return the keys that begin with ``prefix``, then those that contain it."""
    prefix = prefix.lower()
    columns = span_facts(promotions_of(reader))
    stored: list[Key] = []
    for name, numeric, values, wide, listed_examples in reader.execute(
        KEYS, {"prefix": prefix}
    ).fetchall():
        kind: Literal["text", "number", "derived"] = "number" if numeric else "text"
        if name.startswith(WAIT_PREFIX):
            kind = "derived"
        examples = listed_examples or (EXAMPLES_OF_DERIVED["wait"] if kind == "derived" else [])
        if wide:
            value_sql, parameters = _value_sql(name, columns)
            rows = reader.execute(SAMPLE.format(value=value_sql), parameters).fetchall()
            examples = [value[:EXAMPLE_LENGTH_MAX] for (value,) in rows]
        stored.append({"key": name, "kind": kind, "values": values, "examples": examples})
    derived: list[Key] = [
        {
            "key": key,
            "kind": "derived",
            "values": 0,
            "examples": EXAMPLES_OF_DERIVED.get(key, []),
        }
        for key in DERIVED
        if prefix in key
    ]
    matching = stored + derived
    matching.sort(key=lambda key: (not key["key"].lower().startswith(prefix), key["key"]))
    return {"keys": matching[:KEYS_LIMIT]}


def values(reader: duckdb.DuckDBPyConnection, key: str, prefix: str) -> Values:
    """Return the values of a key that begin with ``prefix``, then those that contain it."""
    promotions = promotions_of(reader)
    key = keys_of_attributes(promotions).get(key, key)
    if key == "error":
        rows = reader.execute(
            "select errors > 0, count(*) from trace_digests group by 1 order by 1 desc"
        ).fetchall()
        return {
            "values": [
                {"value": str(error).lower(), "count": count}
                for error, count in rows
                if str(error).lower().startswith(prefix.lower())
            ]
        }
    if key == "root":
        rows = reader.execute(ROOTS, {"prefix": prefix.lower()}).fetchall()
        return {"values": [{"value": value, "count": count} for value, count in rows]}
    rows = reader.execute(VALUES, {"key": key, "prefix": prefix.lower()}).fetchall()
    (wide,) = reader.execute(
        "select bool_or(wide) from fact_keys where name = $key", {"key": key}
    ).fetchone() or (False,)
    if wide and len(rows) < VALUES_LIMIT:
        value_sql, parameters = _value_sql(key, span_facts(promotions))
        values_listed = {value for value, _ in rows}
        wide_rows = reader.execute(
            WIDE_VALUES.format(value=value_sql), parameters | {"prefix": prefix.lower()}
        ).fetchall()
        more = [row for row in wide_rows if row[0] not in values_listed]
        rows += more[: VALUES_LIMIT - len(rows)]
    return {"values": [{"value": value, "count": count} for value, count in rows]}


def _value_sql(name: str, columns: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the SQL of a key's value in a raw row, and its parameters."""
    if name in columns:
        return columns[name], {}
    return "attribute_values[list_position(attribute_keys, $attribute)]", {
        "attribute": name.removeprefix(ATTRIBUTE_PREFIX)
    }
