"""What a filter means: its tree as an SQL condition on a row of ``trace_digests``, named ``t``.

A comparison holds for a trace when one of its spans satisfies it. ``!=``, ``!~`` and ``not`` mean
that none does. Values reach DuckDB as parameters only.
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

# Up to so many facts are looked for one by one, which is quicker than to join them.
FEW = 8

_COLUMNS = {
    "duration": "t.duration_ms",
    "spans": "t.spans",
    "errors": "t.errors",
    "orphans": "t.orphans",
    "uncovered": "(t.spans - t.covered)",
    "attempts": "t.attempts",
}
_WORD_KEYS = ("name", "service")


class Condition:
    """An SQL condition that grows with what is asked, and its parameters.

    Args:
        reader: a cursor, by which the facts that a filter speaks of are looked up.
    """

    def __init__(self, reader: duckdb.DuckDBPyConnection) -> None:
        self._reader = reader
        self._parts: list[str] = []
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

    def beside(self) -> "Condition":
        """Another condition for the same query, which shares its parameters."""
        other = Condition(self._reader)
        other.values = self.values
        return other

    @property
    def sql(self) -> str:
        """The condition, to stand after ``where`` or ``and``."""
        return " and ".join(f"({part})" for part in self._parts) or "true"

    def matches(self, tree: Tree | None) -> None:
        """Ask that the filter holds."""
        if tree is not None:
            self._parts.append(self._sql_of(tree))

    def require(self, template: str, *values: Any) -> None:
        """Ask for SQL in which each ``{}`` stands for one of ``values``."""
        self._parts.append(template.format(*(self._bind(value) for value in values)))

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
                sql = self._word(text.lower())
            case Exists(key):
                sql = self._exists(self._keys.get(key, key))
            case Comparison(key, ("!=" | "!~") as operator, value):
                sql = f"not ({self._comparison(self._keys.get(key, key), operator[1:], value)})"
            case Comparison(key, operator, value):
                sql = self._comparison(self._keys.get(key, key), operator, value)
        return f"({sql})"

    def _word(self, word: str) -> str:
        """Names, services and promoted attributes with it, and trace ids that begin with it."""
        found = [f"starts_with(t.trace_id, {self._bind(word)})"]
        for name in (*_WORD_KEYS, *(each.key for each in self.promotions.each)):
            found += self._containing(name, word)
        return _either(found)

    def _exists(self, key: str) -> str:
        if key in _COLUMNS:
            return f"({_COLUMNS[key]} is not null)"
        if key.startswith(WAIT_PREFIX):
            return self._waited(key, "")
        if key == "missing_hop":
            return self._missing(usual_hops(self._reader))
        if key in ("trace", "error", "span.duration"):
            return "true"
        known = self._known(key)
        if known is None:
            return "false"
        return f't.key_set in (select "set" from fact_sets where member = {known.hash})'

    def _comparison(self, key: str, operator: str, value: Value) -> str:  # noqa: PLR0911
        if key in _COLUMNS:
            return f"coalesce({_COLUMNS[key]} {operator} {self._bind(value.number)}, false)"
        if key == "span.duration":
            nanos = self._bind(round((value.number or 0.0) * 1e6))
            return f"({_raw(f'end_unix_nano - start_unix_nano {operator} {nanos}')})"
        if key.startswith(WAIT_PREFIX):
            return self._waited(key, f"and wait_ms {operator} {self._bind(value.number)}")
        if key == "error":
            return "(t.errors > 0)" if value.text.lower() == "true" else "(t.errors = 0)"
        if key == "trace":
            text = self._bind(value.text.lower())
            return f"(t.trace_id = {text})" if operator == "=" else f"contains(t.trace_id, {text})"
        if key == "missing_hop":
            text = value.text.lower()
            return self._missing(
                hop
                for hop in usual_hops(self._reader)
                if (text in hop.label.lower() if operator == "~" else hop.is_called(text))
            )
        if key in ("kind", "status"):
            value = Value(value.text.upper())
        return self._fact(key, operator, value)

    def _missing(self, hops: Iterable[UsualHop]) -> str:
        return _either(
            f"t.root = {self._bind(hop.root)} and t.root_service = {self._bind(hop.root_service)} "
            f"and t.leg_set not in ("
            f'select "set" from fact_sets where member = {hop.fact:d}::ubigint)'
            for hop in hops
        )

    def _waited(self, key: str, test: str) -> str:
        where = self._bind(key.removeprefix(WAIT_PREFIX))
        return (
            "(t.trace in (select trace from trace_hops where wait_ms is not null "
            f"and (receiver = {where} or hop = {where}) {test}))"
        )

    def _fact(self, name: str, operator: str, value: Value) -> str:
        if operator == "~":
            found = self._containing(name, value.text.lower())
        elif operator == "=":
            found = self._equal(name, value)
        else:
            found = self._numbers(name, operator, value.number)
        return _either(found)

    def _equal(self, name: str, value: Value) -> list[str]:
        known = self._known(name)
        if known is None:
            return []
        fact = f"hash({known.hash}, {self._bind(value.text)})"
        found = [f"list_contains(t.facts, {fact})"]
        if known.wide:
            found.append(_wide(known, f"fact = {fact}"))
        if value.number is not None:
            found += self._numbers(name, "=", value.number)  # 2 is 2.0 as well
        return found

    def _numbers(self, name: str, operator: str, number: float | None) -> list[str]:
        known = self._known(name)
        if known is None:
            return []
        if known.numeric and operator in ORDERING:
            extreme = "t.most" if operator in (">", ">=") else "t.least"
            place = f"list_position(t.number_keys, {known.hash})"
            return [f"coalesce({extreme}[{place}] {operator} {self._bind(number)}, false)"]
        found = self._any_value(known, f"number {operator} {{}}", number)
        if known.wide:
            found.append(_wide(known, f"number {operator} {self._bind(number)}"))
        return found

    def _containing(self, name: str, text: str) -> list[str]:
        known = self._known(name)
        if known is None:
            return []
        found = self._any_value(known, "contains(lower(value), {})", text)
        if known.wide:  # its values are in the raw rows alone
            bound = self._bind(text)
            if name in self._columns:
                found.append(_raw(f"contains(lower({self._columns[name]}), {bound})"))
            else:
                attribute = self._bind(name.removeprefix(ATTRIBUTE_PREFIX))
                value = f"attribute_values[list_position(attribute_keys, {attribute})]"
                test = f"contains(lower(attributes[{attribute}]), {bound})"
                of_resource = f"resource_id in (select resource_id from resources where {test})"
                found.append(_raw(f"contains(lower({value}), {bound}) or {of_resource}"))
        return found

    def _any_value(self, known: "_Key", test: str, value: Any) -> list[str]:
        """That the trace has one of the facts whose value passes the test."""
        facts = f"select fact from fact_values where key = {known.hash} and "
        some = self._reader.execute(
            f"{facts} {test.format('$value')} limit {FEW + 1}", {"value": value}
        ).fetchall()
        if len(some) <= FEW:
            return [f"list_contains(t.facts, {fact:d}::ubigint)" for (fact,) in some]
        return [
            "t.trace in (select trace from (select trace, unnest(facts) as fact "
            f"from trace_digests) where fact in ({facts} {test.format(self._bind(value))}))"
        ]

    def _known(self, name: str) -> "_Key | None":
        found = self._reader.execute(
            "select key, wide, numeric from fact_keys where name = $name", {"name": name}
        ).fetchone()
        return _Key(f"{found[0]:d}::ubigint", *found[1:]) if found else None


class _Key(NamedTuple):
    """A key whose facts are known by the SQL literal ``hash``."""

    hash: str
    wide: bool
    numeric: bool


def _either(tests: Iterable[str]) -> str:
    return " or ".join(f"({test})" for test in tests) or "false"


def _wide(known: _Key, test: str) -> str:
    return f"t.trace in (select trace from wide_facts where key = {known.hash} and {test})"


def _raw(test: str) -> str:
    return (
        "t.trace in (select hash(trace_id) from raw_spans "
        f"join span_shapes using (shape_id) where {test})"
    )
