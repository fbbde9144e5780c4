"""A Firestore query as text without its values: `db.query.text`.

`orders where state in ? and placed_at < ? order by placed_at asc limit ?` shows which index the
query needs, and contains no data. Alternatives are written out: `a == ? and b == ? or a == ? and
c == ?`. The page describes its listeners' queries in the same form.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from opentelemetry import trace

OPERATORS = {
    "EQUAL": "==",
    "NOT_EQUAL": "!=",
    "LESS_THAN": "<",
    "LESS_THAN_OR_EQUAL": "<=",
    "GREATER_THAN": ">",
    "GREATER_THAN_OR_EQUAL": ">=",
    "IN": "in",
    "NOT_IN": "not-in",
    "ARRAY_CONTAINS": "array-contains",
    "ARRAY_CONTAINS_ANY": "array-contains-any",
    "IS_NULL": "==",
    "IS_NAN": "==",
    "IS_NOT_NULL": "!=",
    "IS_NOT_NAN": "!=",
}
DIRECTIONS = {"DESCENDING": "desc"}


def describe(request: Any) -> None:
    """Put the query of a `RunQueryRequest` or `RunAggregationQueryRequest` on the current span."""
    aggregated = getattr(request, "structured_aggregation_query", None)
    query = (aggregated or request).structured_query
    if not query.from_:
        return
    collection = query.from_[0].collection_id
    attributes = {
        "db.collection.name": collection,
        "db.query.text": text_of(query),
        "db.query.summary": f"query {collection}",
    }
    if query.limit is not None:
        attributes["db.query.parameter.limit"] = str(query.limit)
    trace.get_current_span().set_attributes(attributes)


def text_of(query: Any) -> str:
    """Return the text of a `StructuredQuery`."""
    (source,) = query.from_
    text = f"group {source.collection_id}" if source.all_descendants else source.collection_id
    if alternatives := [" and ".join(filters) for filters in _alternatives(query.where) if filters]:
        text += f" where {' or '.join(alternatives)}"
    if query.order_by:
        orderings = (
            f"{ordering.field.field_path} {DIRECTIONS.get(ordering.direction.name, 'asc')}"
            for ordering in query.order_by
        )
        text += f" order by {', '.join(orderings)}"
    return f"{text} limit ?" if query.limit is not None else text


def _alternatives(condition: Any) -> list[list[str]]:
    """Return the condition in disjunctive normal form: any list holds if all its filters do."""
    if not condition:
        return [[]]
    if "composite_filter" in condition:
        inner = [_alternatives(part) for part in condition.composite_filter.filters]
        if condition.composite_filter.op.name == "OR":
            return [filters for alternatives in inner for filters in alternatives]
        return [[each for filters in chosen for each in filters] for chosen in product(*inner)]
    is_unary = "unary_filter" in condition
    single = condition.unary_filter if is_unary else condition.field_filter
    operator = OPERATORS.get(single.op.name, single.op.name.lower())
    return [[f"{single.field.field_path} {operator} {'null' if is_unary else '?'}"]]
