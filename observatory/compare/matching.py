"""Translate a filter to an SQL condition on a row of ``trace_digests``, with the alias ``t``.

A trace matches a comparison when one of its spans does, and ``!=``, ``!~`` or ``not`` when none of
its spans matches the positive form. Values are passed to DuckDB as parameters only.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

import duckdb

from observatory.compare.digest.facts import ATTRIBUTE_PREFIX, keys_of_attributes, span_facts
from observatory.compare.filter import (
    ORDERING,
    WAIT_PREFIX,
    All,
    Comparison,
    Either,
    Exists,
    Not,
    Tree,
    Value,
    Word,
)
from observatory.compare.usual_hops import UsualHop, usual_hops
from observatory.store.promotions import Promotions, promotions_of

# Up to this many facts, a test for each is faster than a join.
SINGLE_FACTS_MAX = 8

_COLUMNS = {
    "duration": "t.duration_ms",
    "spans": "t.spans",
    "errors": "t.errors",
    "orphans": "t.orphans",
    "uncovered": "(t.spans - t.covered)",
    "attempts": "t.attempts",
}


class Condition:
    """An SQL condition that is built term by term, and its parameters.

    Args:
        reader: a cursor, to look up the facts of a filter.
    """

    def __init__(self, reader: duckdb.DuckDBPyConnection) -> None:
        self._reader = reader
        self._terms: list[str] = []
        self.values: dict[str, Any] = {}

    @cached_property
    def promotions(self) -> Promotions:
        """The promoted attributes, read when a filter first needs them."""
        return promotions_of(self._reader)

    @cached_property
    def _keys(self) -> dict[str, str]:
        return keys_of_attributes(self.promotions)

    @cached_property
    def _columns(self) -> dict[str, str]:
        return span_facts(self.promotions)

    def sharing_parameters(self) -> "Condition":
        """Return an empty condition with the same parameters, for the same query."""
        other = Condition(self._reader)
        other.values = self.values
        return other

    @property
    def sql(self) -> str:
        """The condition, for use after ``where`` or ``and``."""
        return " and ".join(f"({term})" for term in self._terms) or "true"

    def matches(self, tree: Tree | None) -> None:
        """Add a filter."""
        if tree is not None:
            self._terms.append(self._sql_of(tree))

    def require(self, template: str, *values: Any) -> None:
        """Add an SQL condition, in which each ``{}`` is a parameter for one of ``values``."""
        self._terms.append(template.format(*(self._bind(value) for value in values)))

    def _bind(self, value: Any) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    def _sql_of(self, tree: Tree) -> str:
        match tree:
            case Not(term):
                sql = f"not {self._sql_of(term)}"
            case All(terms):
                sql = " and ".join(self._sql_of(term) for term in terms)
            case Either(terms):
                sql = " or ".join(self._sql_of(term) for term in terms)
            case Word(text):
                sql = self._word(text)
            case Exists(key):
                sql = self._exists(self._keys.get(key, key))
            case Comparison(key, ("!=" | "!~") as operator, value):
                sql = f"not ({self._comparison(self._keys.get(key, key), operator[1:], value)})"
            case Comparison(key, operator, value):
                sql = self._comparison(self._keys.get(key, key), operator, value)
        return f"({sql})"

    def _word(self, word: str) -> str:
        """Match the word in all values of spans, or as the start of a trace's id.

        Values that hardly ever occur twice, such as message ids, have to be equal to the word:
        their text is in the raw rows only, which take too long to search. Only promoted attributes
        are searched there too.
        """
        lower = word.lower()
        alternatives = [f"starts_with(t.trace_id, {self._bind(lower)})"]
        alternatives += self._any_fact(
            "select fact from fact_values where contains(lower(value), {})", lower
        )
        for promotion in self.promotions.each:
            key = self._stored_key(promotion.key)
            if key is not None and key.wide:
                alternatives += self._containing(promotion.key, lower)
        bound = self._bind(word)
        alternatives.append(
            "t.trace in (select trace from wide_facts where fact in "
            f"(select hash(key, {bound}) from fact_keys where wide))"
        )
        return _either(alternatives)

    def _exists(self, key: str) -> str:
        if key in _COLUMNS:
            return f"({_COLUMNS[key]} is not null)"
        if key.startswith(WAIT_PREFIX):
            return self._wait(key, "")
        if key == "missing_hop":
            return self._missing_hops(usual_hops(self._reader))
        if key in ("trace", "root", "error", "span.duration"):
            return "true"
        stored = self._stored_key(key)
        if stored is None:
            return "false"
        return f't.key_set in (select "set" from fact_sets where member = {stored.hash})'

    def _comparison(self, key: str, operator: str, value: Value) -> str:  # noqa: PLR0911
        if key in _COLUMNS:
            return f"coalesce({_COLUMNS[key]} {operator} {self._bind(value.number)}, false)"
        if key == "span.duration":
            nanos = self._bind(round((value.number or 0.0) * 1e6))
            return f"({_raw(f'end_unix_nano - start_unix_nano {operator} {nanos}')})"
        if key.startswith(WAIT_PREFIX):
            return self._wait(key, f"and wait_ms {operator} {self._bind(value.number)}")
        if key == "error":
            return "(t.errors > 0)" if value.text.lower() == "true" else "(t.errors = 0)"
        if key == "trace":
            text = self._bind(value.text.lower())
            return f"(t.trace_id = {text})" if operator == "=" else f"contains(t.trace_id, {text})"
        if key == "root":
            if operator == "=":
                return f"(t.root = {self._bind(value.text)})"
            return f"contains(lower(t.root), {self._bind(value.text.lower())})"
        if key == "missing_hop":
            text = value.text.lower()
            return self._missing_hops(
                hop
                for hop in usual_hops(self._reader)
                if (text in hop.label.lower() if operator == "~" else hop.has_name(text))
            )
        if key in ("kind", "status"):
            value = Value(value.text.upper())
        return self._fact(key, operator, value)

    def _missing_hops(self, hops: Iterable[UsualHop]) -> str:
        return _either(
            f"t.root = {self._bind(hop.root)} and t.root_service = {self._bind(hop.root_service)} "
            f"and t.leg_set not in ("
            f'select "set" from fact_sets where member = {hop.fact:d}::ubigint)'
            for hop in hops
        )

    def _wait(self, key: str, test: str) -> str:
        place = self._bind(key.removeprefix(WAIT_PREFIX))
        return (
            "(t.trace in (select trace from trace_hops where wait_ms is not null "
            f"and (receiver = {place} or hop = {place}) {test}))"
        )

    def _fact(self, name: str, operator: str, value: Value) -> str:
        if operator == "~":
            alternatives = self._containing(name, value.text.lower())
        elif operator == "=":
            alternatives = self._equal(name, value)
        else:
            alternatives = self._numbers(name, operator, value.number)
        return _either(alternatives)

    def _equal(self, name: str, value: Value) -> list[str]:
        key = self._stored_key(name)
        if key is None:
            return []
        fact = f"hash({key.hash}, {self._bind(value.text)})"
        alternatives = [f"list_contains(t.facts, {fact})"]
        if key.wide:
            alternatives.append(_wide(key, f"fact = {fact}"))
        if value.number is not None:
            alternatives += self._numbers(name, "=", value.number)  # 2 equals 2.0
        return alternatives

    def _numbers(self, name: str, operator: str, number: float | None) -> list[str]:
        key = self._stored_key(name)
        if key is None:
            return []
        if key.numeric and operator in ORDERING:
            extreme = "t.most" if operator in (">", ">=") else "t.least"
            place = f"list_position(t.number_keys, {key.hash})"
            return [f"coalesce({extreme}[{place}] {operator} {self._bind(number)}, false)"]
        alternatives = self._any_value(key, f"number {operator} {{}}", number)
        if key.wide:
            alternatives.append(_wide(key, f"number {operator} {self._bind(number)}"))
        return alternatives

    def _containing(self, name: str, text: str) -> list[str]:
        key = self._stored_key(name)
        if key is None:
            return []
        alternatives = self._any_value(key, "contains(lower(value), {})", text)
        if key.wide:  # only the raw rows have its values
            bound = self._bind(text)
            if name in self._columns:
                alternatives.append(_raw(f"contains(lower({self._columns[name]}), {bound})"))
            else:
                attribute = self._bind(name.removeprefix(ATTRIBUTE_PREFIX))
                value = f"attribute_values[list_position(attribute_keys, {attribute})]"
                test = f"contains(lower(attributes[{attribute}]), {bound})"
                in_resource = f"resource_id in (select resource_id from resources where {test})"
                alternatives.append(_raw(f"contains(lower({value}), {bound}) or {in_resource}"))
        return alternatives

    def _any_value(self, key: "_Key", test: str, value: Any) -> list[str]:
        """Match traces with one of the facts of ``key`` whose value passes the test."""
        return self._any_fact(
            f"select fact from fact_values where key = {key.hash} and {test}", value
        )

    def _any_fact(self, facts: str, value: Any) -> list[str]:
        """Match traces with one of the facts that a query selects; ``{}`` is the value in it."""
        rows = self._reader.execute(
            f"{facts.format('$value')} limit {SINGLE_FACTS_MAX + 1}", {"value": value}
        ).fetchall()
        if len(rows) <= SINGLE_FACTS_MAX:
            return [f"list_contains(t.facts, {fact:d}::ubigint)" for (fact,) in rows]
        return [
            "t.trace in (select trace from (select trace, unnest(facts) as fact "
            f"from trace_digests) where fact in ({facts.format(self._bind(value))}))"
        ]

    def _stored_key(self, name: str) -> "_Key | None":
        row = self._reader.execute(
            "select key, wide, numeric from fact_keys where name = $name", {"name": name}
        ).fetchone()
        return _Key(f"{row[0]:d}::ubigint", *row[1:]) if row else None


class _Key(NamedTuple):
    """A key that spans have; ``hash`` is an SQL literal."""

    hash: str
    wide: bool
    numeric: bool


def _either(tests: Iterable[str]) -> str:
    return " or ".join(f"({test})" for test in tests) or "false"


def _wide(key: _Key, test: str) -> str:
    return f"t.trace in (select trace from wide_facts where key = {key.hash} and {test})"


def _raw(test: str) -> str:
    return (
        "t.trace in (select hash(trace_id) from raw_spans "
        f"join attribute_schemas using (schema_id) where {test})"
    )
