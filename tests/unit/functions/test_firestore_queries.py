"""What a query asks for, on its span: all that decides on its index, and no value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import And, Client, FieldFilter, Or
from google.cloud.firestore_v1.types import RunAggregationQueryRequest, RunQueryRequest
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.unit.functions.traceparents import the_span
from throughline import before_each_query, firestore_queries

SECRET = "somebody"


@pytest.fixture(scope="module")
def orders() -> Any:
    """A collection, of a client that is never connected."""
    client = Client(project="demo-throughline", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    return client.collection("orders")


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What is told before each query."""
    texts: list[str] = []
    before_each_query(texts.append)
    yield texts
    firestore_queries._observers.clear()


def where(field: str, operator: str, value: object = SECRET) -> FieldFilter:
    """A condition."""
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
def test_a_querys_text_has_its_shape_and_none_of_its_values(
    orders: Any, ask: Callable[[Any], Any], text: str
) -> None:
    """In the words that a page uses too."""
    found = firestore_queries.text_of(ask(orders)._to_protobuf())
    assert found == text
    assert SECRET not in found


def test_a_group_of_collections_is_said_to_be_one() -> None:
    """It has indexes of its own."""
    client = Client(project="demo-throughline", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    query = client.collection_group("tickets").where(filter=where("uid", "=="))
    assert firestore_queries.text_of(query._to_protobuf()) == "group tickets where uid == ?"


def test_it_is_on_the_querys_span_and_told(
    orders: Any, spans: InMemorySpanExporter, told: list[str]
) -> None:
    """For an aggregation as for a query."""
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
    assert told == ["orders where uid == ?"] * 2


def test_a_query_that_is_not_traced_is_told_to_nobody(
    orders: Any, spans: InMemorySpanExporter, told: list[str]
) -> None:
    """Or whoever is told could not ask Firestore what to make of it."""
    with (
        trace.get_tracer("test").start_as_current_span("invocation"),
        suppress_instrumentation(),
    ):
        firestore_queries.describe(RunQueryRequest(structured_query=orders.limit(1)._to_protobuf()))
    assert told == []
    assert not the_span(spans).attributes
