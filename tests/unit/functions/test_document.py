"""Hops 4 and 6 in one process: Firestore events through the SDK's own decorators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from firebase_functions import firestore_fn
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

import throughline
from tests.unit.functions.cloud_events import DOCUMENT, SOURCE, document_event, text_map
from tests.unit.functions.traceparents import (
    TRACEPARENT,
    Kinship,
    attributes_of,
    ids,
    kinship,
    the_span,
)

OTHER = "00-33333333333333333333333333333333-4444444444444444-01"


@pytest.fixture(autouse=True)
def _emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK creates a Firestore client per event, which needs no credentials for the emulator."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setenv("GCLOUD_PROJECT", "demo-throughline")


def declared(on: Any) -> tuple[Callable[[Any], None], list[Any]]:
    """Return a function decorated with the SDK's `on`, and the list of events it receives."""
    events: list[Any] = []

    @throughline.on_document
    def reserve(event: Any) -> None:
        events.append(event)

    return on(document="orders/{order_id}")(reserve), events


def test_the_parent_is_in_the_created_document(spans: InMemorySpanExporter) -> None:
    """The function receives the complete event."""
    reserve, events = declared(firestore_fn.on_document_created)
    reserve(document_event("created", {"_trace": text_map(traceparent=TRACEPARENT)}))
    assert events[0].params == {"order_id": "AbCdEfGhIjKlMnOpQrSt"}
    assert events[0].data.to_dict() == {"_trace": {"traceparent": TRACEPARENT}}
    span = the_span(spans)
    assert (span.name, span.kind) == ("reserve", SpanKind.CONSUMER)
    assert kinship(span) == Kinship(ids(TRACEPARENT), [])
    expected = {
        "throughline.hop": "trigger",
        "throughline.carrier": "document-field",
        "throughline.context": "carried",
        "faas.name": "reserve",
        "faas.trigger": "datasource",
        "faas.document.collection": "orders",
        "faas.document.name": DOCUMENT,
        "faas.document.operation": "insert",
        "faas.document.time": "2026-03-01T12:00:00+00:00",
        "faas.invocation_id": "event-1",
        "cloudevents.event_id": "event-1",
        "cloudevents.event_source": SOURCE,
        "cloudevents.event_type": "google.cloud.firestore.document.v1.created",
    }
    assert attributes_of(span).items() >= expected.items()


@pytest.mark.parametrize(
    ("on", "kind", "after", "before", "operation", "parent"),
    [
        (firestore_fn.on_document_updated, "updated", TRACEPARENT, OTHER, "edit", TRACEPARENT),
        (firestore_fn.on_document_deleted, "deleted", None, OTHER, "delete", OTHER),
        (firestore_fn.on_document_written, "written", TRACEPARENT, None, "edit", TRACEPARENT),
        (firestore_fn.on_document_written, "written", TRACEPARENT, OTHER, "edit", TRACEPARENT),
        (firestore_fn.on_document_written, "written", None, OTHER, "edit", OTHER),
    ],
    ids=["updated", "deleted", "created by write", "updated by write", "deleted by write"],
)
def test_the_parent_is_in_the_document_after_the_event(
    spans: InMemorySpanExporter,
    on: Any,
    kind: str,
    after: str | None,
    before: str | None,
    operation: str,
    parent: str,
) -> None:
    """For a deleted document it is in the one before."""
    function, events = declared(on)
    function(
        document_event(
            kind,
            {"_trace": text_map(traceparent=after)} if after else None,
            {"_trace": text_map(traceparent=before)} if before else None,
        )
    )
    assert len(events) == 1
    assert kinship(the_span(spans)).parent == ids(parent)
    assert attributes_of(the_span(spans))["faas.document.operation"] == operation


@pytest.mark.parametrize(
    ("fields", "state", "reason"),
    [
        ({}, "absent", None),
        ({"uid": {"stringValue": "somebody"}}, "absent", None),
        ({"_trace": {"nullValue": None}}, "absent", None),
        ({"_trace": {"mapValue": {"fields": {}}}}, "absent", None),
        ({"_trace": text_map(traceparent="x")}, "invalid", "traceparent is malformed"),
        ({"_trace": {"stringValue": "x"}}, "invalid", "carrier is a str, not a map"),
        ({"_trace": {"integerValue": "7"}}, "invalid", "carrier is a int, not a map"),
        (
            {"_trace": {"mapValue": {"fields": {"traceparent": {"booleanValue": True}}}}},
            "invalid",
            "traceparent is a bool, not a string",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_document_without_usable_context_makes_a_root(
    spans: InMemorySpanExporter, fields: dict[str, Any], state: str, reason: str | None
) -> None:
    """The function still runs, and its span has the reason."""
    reserve, events = declared(firestore_fn.on_document_created)
    reserve(document_event("created", fields))
    assert len(events) == 1
    attributes = attributes_of(the_span(spans))
    assert the_span(spans).parent is None
    assert attributes["throughline.context"] == state
    assert attributes.get("throughline.context.reason") == reason


def test_an_event_without_any_document_makes_a_root(spans: InMemorySpanExporter) -> None:
    """The SDK passes None if the event has no document."""
    reserve, events = declared(firestore_fn.on_document_created)
    reserve(document_event("created", None))
    assert events[0].data is None
    assert attributes_of(the_span(spans))["throughline.context"] == "absent"


def test_the_trace_field_has_the_current_spans_context(
    spans: InMemorySpanExporter,
) -> None:
    """`_trace` has the current span's context; outside a span it is omitted."""
    assert throughline.trace_field() == {}
    with trace.get_tracer("test").start_as_current_span("writer") as writer:
        field = throughline.trace_field()
    written = writer.get_span_context()
    assert set(field) == {"_trace"}
    assert set(field["_trace"]) == {"traceparent"}
    assert ids(field["_trace"]["traceparent"]) == f"{written.trace_id:032x}-{written.span_id:016x}"


def test_a_document_carries_the_context_to_the_next_function(spans: InMemorySpanExporter) -> None:
    with trace.get_tracer("test").start_as_current_span("writer") as writer:
        traceparent = throughline.trace_field()["_trace"]["traceparent"]
    reserve, _ = declared(firestore_fn.on_document_created)
    reserve(document_event("created", {"_trace": text_map(traceparent=traceparent)}))
    parent = spans.get_finished_spans()[-1].parent
    assert parent is not None
    assert parent.span_id == writer.get_span_context().span_id
