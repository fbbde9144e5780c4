"""A query's text on its span: everything that determines its index, without values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import And, Client, FieldFilter, Or
from google.cloud.firestore_v1.types import RunAggregationQueryRequest, RunQueryRequest
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.unit.functions.traceparents import the_span
from throughline import firestore_calls, firestore_queries

SECRET = "somebody"


@pytest.fixture(scope="module")
def orders() -> Any:
    """A collection of a client without a connection."""
    client = Client(project="demo-throughline", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    return client.collection("orders")


def where(field: str, operator: str, value: object = SECRET) -> FieldFilter:
    """Return a filter."""
    return FieldFilter(field, operator, value)


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda orders: orders.select(["uid"]), "orders"),
        (lambda orders: orders.limit(3), "orders limit ?"),
        (
            lambda orders: orders.where(filter=where("uid", "==")).order_by(
                "placed_at", direction="DESCENDING"
            ),
            "orders where uid == ? order by placed_at desc",
        ),
        (
            lambda orders: orders.where(filter=where("state", "in", [SECRET])).where(
                filter=where("at", "<", 7)
            ),
            "orders where state in ? and at < ?",
        ),
        (
            lambda orders: orders.where(filter=where("state", "not-in", [SECRET])),
            "orders where state not-in ?",
        ),
        (
            lambda orders: orders.where(filter=where("tags", "array_contains")),
            "orders where tags array-contains ?",
        ),
        (
            lambda orders: orders.where(filter=where("gone", "==", None)),
            "orders where gone == null",
        ),
        (
            lambda orders: orders.where(
                filter=And([where("a", "=="), Or([where("b", "=="), where("c", ">")])])
            ),
            "orders where a == ? and b == ? or a == ? and c > ?",
        ),
    ],
)
def test_a_querys_text_has_fields_and_operators_but_no_values(
    orders: Any, ask: Callable[[Any], Any], text: str
) -> None:
    """The page describes its queries in the same form."""
    query_text = firestore_queries.text_of(ask(orders)._to_protobuf())
    assert query_text == text
    assert SECRET not in query_text


def test_a_collection_group_query_is_described_as_one() -> None:
    """A collection group has indexes of its own."""
    client = Client(project="demo-throughline", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    query = client.collection_group("tickets").where(filter=where("uid", "=="))
    assert firestore_queries.text_of(query._to_protobuf()) == "group tickets where uid == ?"


def test_the_text_is_on_the_querys_span(orders: Any, spans: InMemorySpanExporter) -> None:
    """Aggregations are described too."""
    query = orders.where(filter=where("uid", "=="))._to_protobuf()
    counted = {"structured_query": query, "aggregations": [{"count": {}}]}
    for request in (
        RunQueryRequest(structured_query=query),
        RunAggregationQueryRequest(structured_aggregation_query=counted),
    ):
        with trace.get_tracer("test").start_as_current_span("RunQuery"):
            firestore_queries.describe(request)
        assert dict(the_span(spans).attributes or {}) == {
            "db.collection.name": "orders",
            "db.query.text": "orders where uid == ?",
            "db.query.summary": "query orders",
        }
        spans.clear()


def test_an_untraced_query_sets_nothing_on_the_surrounding_span(
    orders: Any, spans: InMemorySpanExporter
) -> None:
    """The surrounding span is the invocation's."""
    with (
        trace.get_tracer("test").start_as_current_span("invocation"),
        suppress_instrumentation(),
    ):
        firestore_calls._describe(
            "/google.firestore.v1.Firestore/RunQuery",
            RunQueryRequest(structured_query=orders.limit(1)._to_protobuf()),
        )
    assert not the_span(spans).attributes


def test_a_limit_is_on_the_span_with_its_value(orders: Any, spans: InMemorySpanExporter) -> None:
    """A limit is not personal, and one that is too small hides what is behind it."""
    with trace.get_tracer("test").start_as_current_span("RunQuery"):
        firestore_queries.describe(
            RunQueryRequest(structured_query=orders.limit(50)._to_protobuf())
        )
    attributes = dict(the_span(spans).attributes or {})
    assert attributes["db.query.parameter.limit"] == "50"
    assert attributes["db.query.text"] == "orders limit ?"
