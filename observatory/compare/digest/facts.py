"""Compute the facts of a trace from its raw rows: the keys and values that its spans have.

Facts are identified by hashes; the text of a value is read only when the fact is new.
"""

from functools import cache

from observatory.compare.filter import RESERVED_KEYS, WAIT_PREFIX
from observatory.store.promotions import Promotions
from observatory.text_format import message_pattern_sql

# A key with this many values is wide if nearly every value occurs only once.
WIDE_VALUES = 10_000
# A numeric key is wide above this many values, because numbers are compared by ranges anyway.
WIDE_NUMBERS = 64
# Longer values are truncated here; the raw rows have them in full.
VALUE_LENGTH_MAX = 1_000

# Facts from the columns of raw_spans, by their keys in filters.
_SPAN_FACTS = {
    "name": "name",
    "service": "service_name",
    "hop": "hop",
    "kind": "kind",
    "status": "status_code",
    "declared_root": "root",
}
# Facts of spans with an error.
_ERROR_FACTS = {
    "error.service": "service_name",
    "error.message": message_pattern_sql("status_message"),
}
# Attributes that are stored in these columns, and their keys in filters.
_COLUMN_ATTRIBUTES = {
    "service.name": "service",
    "throughline.hop": "hop",
    "throughline.root": "declared_root",
}
# Precedes the name of an attribute that is the same as a reserved key.
ATTRIBUTE_PREFIX = "attribute."
ATTEMPT_ATTRIBUTES = ("throughline.attempt", "throughline.delivery.attempt")


def span_facts(promotions: Promotions) -> dict[str, str]:
    """Return the SQL of each fact that comes from a column, by its key in filters."""
    promoted = {each.key: each.sql for each in promotions.each}
    errors = {
        key: f"case when status_code = 'ERROR' then {sql} end" for key, sql in _ERROR_FACTS.items()
    }
    return _SPAN_FACTS | errors | promoted


def keys_of_attributes(promotions: Promotions) -> dict[str, str]:
    """Return the keys in filters of the attributes that have columns of their own."""
    return _COLUMN_ATTRIBUTES | {each.attribute: each.key for each in promotions.each}


def name_of(attribute: str, promotions: Promotions) -> str:
    """Return the key of an attribute in filters."""
    column_keys = keys_of_attributes(promotions)
    if attribute in column_keys:
        return column_keys[attribute]
    taken = RESERVED_KEYS | span_facts(promotions).keys()
    if attribute in taken or attribute.startswith((WAIT_PREFIX, ATTRIBUTE_PREFIX)):
        return ATTRIBUTE_PREFIX + attribute
    return attribute


def _text(value: str) -> str:
    """Return a string as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def _span_key(name: str) -> str:
    return f"hash({_text(name)}, 'of the span')"


# The key of a trace's hops, with the values "hop → receiving service".
LEG = "leg"
LEG_KEY = _span_key(LEG)
HOP_ARROW = " → "
# Waits are numbers of a trace without facts, because no two are the same.
WAIT_KEY = "hash(service, 'wait')"


def _column_hashes(promotions: Promotions) -> str:
    return ", ".join(f"hash({_text(name)})" for name in keys_of_attributes(promotions))


@cache
def schema_keys(promotions: Promotions) -> str:
    """Return SQL for the key hashes of each attribute schema, null for those with a column."""
    return f"""
create or replace temp table schema_keys as
select schema_id, list_transform(
    attribute_keys,
    lambda name: case when hash(name) not in ({_column_hashes(promotions)}) then hash(name) end
) as keys
from attribute_schemas semi join changed_spans using (schema_id)
"""


@cache
def fact_rows(promotions: Promotions) -> str:
    """Return SQL for every fact of every span, with duplicates."""
    columns = _SPAN_FACTS | {each.key: each.sql for each in promotions.each}
    return f"""
create or replace temp table fact_rows as
select trace, key, hash(key, value) as fact, value
from (
    select trace, unnest(keys) as key, unnest(attribute_values) as value
    from changed_rows join schema_keys using (schema_id)
    union all
    select trace, hash(name) as key, value from (
        select trace, unnest(map_keys(attributes)) as name, unnest(map_values(attributes)) as value
        from (select distinct trace, resource_id from changed_spans)
        join resources using (resource_id)
    ) where hash(name) not in ({_column_hashes(promotions)})
    union all
    select trace, unnest([{", ".join(_span_key(name) for name in columns)}]),
        unnest([{", ".join(columns.values())}])
    from changed_spans
    union all
    select trace, unnest([{", ".join(_span_key(name) for name in _ERROR_FACTS)}]),
        unnest([service_name, error_message])
    from changed_spans where status_code = 'ERROR'
    union all
    select trace, {LEG_KEY}, via || '{HOP_ARROW}' || service from linked_spans
    where receives and via is not null
) where value is not null and key is not null
"""


_FINITE = "case when isfinite(try_cast({text} as double)) then try_cast({text} as double) end"

CHANGED_FACTS = """
create or replace temp table changed_facts as select distinct trace, key, fact from fact_rows
"""

UNKNOWN_KEYS = """
create or replace temp table unknown_keys as
select distinct key from changed_facts anti join fact_keys using (key)
"""
NAMES_OF_UNKNOWN_KEYS = """
select hash(name) as key, any_value(name), bool_and(letter in ('i', 'd'))
from (
    select unnest(attribute_keys) as name, unnest(string_split(attribute_types, '')) as letter
    from attribute_schemas
    union all
    select unnest(map_keys(attributes)), unnest(string_split(attribute_types, ''))
    from resources
) where name is not null and hash(name) in (from unknown_keys)
group by key
"""
INSERT_KEYS = f"""
insert into fact_keys
select key, name, numeric, false, 0, case when numeric then {WIDE_NUMBERS} else {WIDE_VALUES} end
from (select unnest($keys) as key, unnest($names) as name, unnest($numeric) as numeric)
"""


@cache
def insert_span_keys(promotions: Promotions) -> str:
    """Return SQL that inserts the keys of columns and waits, unless they are stored."""
    columns = "\nunion all\n".join(
        f"select {_span_key(name)} as key, {_text(name)} as name, false as numeric"
        for name in (*span_facts(promotions), LEG)
    )
    return f"""
insert into fact_keys
select key, name, numeric, false, 0, {WIDE_VALUES} from (
    {columns}
    union all
    select distinct {WAIT_KEY}, '{WAIT_PREFIX}' || service, true from linked_spans
    where wait_ms is not null
) anti join fact_keys using (key)
"""


NEW_FACTS = """
create or replace temp table new_facts as
select key, fact, count(*) as uses
from changed_facts semi join (from fact_keys where not wide) using (key)
anti join fact_values using (fact)
group by key, fact
"""
# Keys with enough new values to check again whether they are wide, and the uses of their values.
WIDE_CANDIDATES = """
select key, numeric, known + new_values, uses + (
    select count(*) from (select unnest(facts) as fact from digested_traces)
    semi join (from fact_values where fact_values.key = candidate.key) using (fact))
from (select key, count(*) as new_values, sum(uses) as uses from new_facts group by key)
join fact_keys as candidate using (key)
where known + new_values >= recheck_at
"""
SET_WIDE = "update fact_keys set wide = $wide, recheck_at = $recheck_at where key = $key"
DELETE_WIDE = "delete from new_facts where key in (select key from fact_keys where wide)"
INSERT_VALUES = f"""
insert into fact_values
select fact, key, left(value, {VALUE_LENGTH_MAX}), {_FINITE.format(text="value")}
from (
    select fact, any_value(key) as key, any_value(value) as value
    from fact_rows semi join new_facts using (fact) group by fact
)
"""
COUNT_VALUES = """
update fact_keys set known = known + new_values
from (select key, count(*) as new_values from new_facts group by key) as counts
where fact_keys.key = counts.key
"""

NUMBERS = f"""
create or replace temp table changed_numbers as
select distinct trace, key, fact, {_FINITE.format(text="value")} as number
from fact_rows semi join (from fact_keys where numeric) using (key)
"""
INSERT_WIDE_FACTS = """
insert into wide_facts
select trace, key, fact, number
from changed_facts semi join (from fact_keys where wide) using (key)
left join changed_numbers using (trace, key, fact)
order by key
"""
# The first span of each trace, from which it is known what was set at the start.
START_SPANS = """
create or replace temp table start_spans as
select trace, arg_min(span, (parent is not null, began, span)) as span from changed_spans
group by trace
"""


@cache
def start_sets(promotions: Promotions) -> str:
    """Return SQL for the keys of each trace's first span and of its resource."""
    columns = {"declared_root": "root"} | {each.key: each.sql for each in promotions.each}
    of_columns = ", ".join(
        f"case when {sql} is not null then {_span_key(key)} end" for key, sql in columns.items()
    )
    return f"""
create or replace temp table start_sets as
with starts as (
    select trace, schema_id, resource_id, [{of_columns}] as column_keys
    from start_spans join changed_spans using (trace, span)
), kinds as (
    select schema_id, resource_id, column_keys, list_sort(list_filter(list_concat(
        keys, list_transform(map_keys(attributes), lambda name: hash(name)), column_keys
    ), lambda key: key is not null)) as start_keys
    from (select distinct schema_id, resource_id, column_keys from starts)
    join schema_keys using (schema_id) join resources using (resource_id)
)
select trace, start_keys, hash(start_keys) as start_set
from starts join kinds using (schema_id, resource_id, column_keys)
"""


CHANGED_SETS = f"""
create or replace temp table changed_sets as
with key_sets as (
    select trace, list(key order by key) as keys
    from (select trace, key from changed_facts union select trace, {WAIT_KEY} from waits)
    group by trace
), leg_sets as (
    select trace, list(fact order by fact) as legs from changed_facts where key = {LEG_KEY}
    group by trace
)
select trace, keys, hash(keys) as key_set, coalesce(legs, []) as legs,
    hash(coalesce(legs, [])) as leg_set
from key_sets left join leg_sets using (trace)
"""
INSERT_SETS = """
insert into fact_sets
select "set", unnest(members) from (
    select distinct key_set as "set", keys as members from changed_sets
    union
    select distinct leg_set, legs from changed_sets
    union
    select distinct start_set, start_keys from start_sets
) anti join fact_sets using ("set")
"""
WAITS = """
create or replace temp view waits as
select trace, service, wait_ms from linked_spans where wait_ms is not null
"""
INSERT_DIGESTS = f"""
insert into digested_traces by name
with fact_lists as (
    select trace, list(fact) as facts
    from changed_facts semi join (from fact_keys where not wide and key <> {LEG_KEY}) using (key)
    group by trace
), extremes as (
    select trace, key, min(number) as least, max(number) as most from changed_numbers
    where number is not null group by trace, key
    union all
    select trace, {WAIT_KEY}, min(wait_ms), max(wait_ms) from waits group by trace, service
), number_lists as (
    select trace, list(key order by key) as number_keys, list(least order by key) as least,
        list(most order by key) as most,
        max(most) filter (
            where key in ({", ".join(f"hash('{name}')" for name in ATTEMPT_ATTRIBUTES)})
        )::bigint as attempts
    from extremes group by trace
)
select trace_totals.*, (ended - started) / 1e6 as duration_ms, attempts,
    coalesce(facts, []) as facts, key_set, leg_set, start_set,
    coalesce(number_keys, []) as number_keys, coalesce(least, []) as least,
    coalesce(most, []) as most
from trace_totals join changed_sets using (trace) join start_sets using (trace)
left join fact_lists using (trace)
left join number_lists using (trace)
"""
TEMPORARY = (
    "schema_keys",
    "fact_rows",
    "changed_facts",
    "unknown_keys",
    "new_facts",
    "changed_numbers",
    "start_spans",
    "start_sets",
    "changed_sets",
)
