"""Each invocation of a function is one span."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flask
import pytest
from opentelemetry import baggage, trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.unit.functions.traceparents import (
    AMBIENT,
    SPAN_ID,
    TRACE_ID,
    TRACEPARENT,
    Kinship,
    attributes_of,
    ids,
    kinship,
    the_span,
)
from throughline import carrier, http_request, invocation, telemetry
from throughline.invocation import Reception, traced

APP = flask.Flask(__name__)


def receive(argument: Any) -> Reception:
    """Use the argument as the carrier."""
    return Reception(carrier.read(argument), "trigger", "document-field", SpanKind.CONSUMER)


def test_a_call_is_a_span_in_the_callers_trace(spans: InMemorySpanExporter) -> None:
    """The carrier names the parent, and its baggage is available during the call."""
    seen = []

    def work(_argument: object) -> str:
        seen.append(dict(baggage.get_all()))
        return "done"

    assert traced(work, receive)({"traceparent": TRACEPARENT, "baggage": "order=7"}) == "done"
    span = the_span(spans)
    assert (span.name, span.kind) == ("work", SpanKind.CONSUMER)
    assert kinship(span) == Kinship(ids(TRACEPARENT), [])
    assert seen == [{"order": "7"}]
    assert baggage.get_all() == {}


def test_an_invalid_carrier_makes_a_root_with_the_reason(spans: InMemorySpanExporter) -> None:
    """The reason is an attribute, which a valid or absent carrier does not have."""
    work = traced(lambda _: None, receive)
    work({"traceparent": "nonsense"})
    work({})
    invalid, absent = map(attributes_of, spans.get_finished_spans())
    assert invalid["throughline.context"] == "invalid"
    assert invalid["throughline.context.reason"] == "traceparent is malformed"
    assert absent["throughline.context"] == "absent"
    assert "throughline.context.reason" not in absent
    assert [span.parent for span in spans.get_finished_spans()] == [None, None]


def test_the_span_has_the_functions_source_line(spans: InMemorySpanExporter) -> None:
    """It has the file relative to the checkout, the line and the name."""

    def somewhere(_argument: object) -> None:
        """Be found."""

    traced(somewhere, receive)(None)
    attributes = attributes_of(the_span(spans))
    assert attributes["code.file.path"] == "tests/unit/functions/test_invocation.py"
    assert attributes["code.line.number"] == somewhere.__code__.co_firstlineno
    assert str(attributes["code.function.name"]).endswith("somewhere")
    assert traced(somewhere, receive).__doc__ == "Be found."


def test_an_exception_is_recorded_and_raised_again(spans: InMemorySpanExporter) -> None:
    """The platform must see the exception; afterwards no span is current."""

    def fail(_argument: object) -> None:
        assert trace.get_current_span().get_span_context().is_valid
        raise LookupError("no such order")

    with pytest.raises(LookupError, match="no such order"):
        traced(fail, receive)({"traceparent": TRACEPARENT})
    assert not trace.get_current_span().get_span_context().is_valid
    span = the_span(spans)
    assert span.status.status_code is StatusCode.ERROR
    assert (span.events[0].attributes or {})["exception.type"] == "LookupError"


def test_a_call_inside_a_span_restores_that_span(spans: InMemorySpanExporter) -> None:
    """The received context is current only during the call, and a surrounding span is no parent."""
    with trace.get_tracer("test").start_as_current_span("around") as around:
        traced(lambda _: None, receive)({"traceparent": TRACEPARENT})
        assert trace.get_current_span() is around
    assert kinship(spans.get_finished_spans()[0]).parent == ids(TRACEPARENT)


@pytest.mark.parametrize("ending", ["return", "raise"])
def test_telemetry_is_flushed_after_the_span_and_before_returning(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """This holds however the function ends, because the platform may remove the CPU afterwards."""
    finished_at_flush = []

    @contextmanager
    def request() -> Iterator[None]:
        try:
            yield
        finally:
            finished_at_flush.append(len(spans.get_finished_spans()))

    monkeypatch.setattr(telemetry, "request", request)

    def work(_argument: object) -> None:
        if ending == "raise":
            raise LookupError

    try:
        traced(work, receive)(None)
    except LookupError:
        assert ending == "raise"
    assert finished_at_flush == [1]


def test_context_on_the_http_request_is_linked_but_never_the_parent(
    spans: InMemorySpanExporter,
) -> None:
    """The platform's own traceparent, which is often unsampled, is only a link."""
    work = traced(lambda _: None, receive)
    with APP.test_request_context(headers={"TraceParent": AMBIENT}):
        work({"traceparent": TRACEPARENT})
        work({})
    carried, absent = spans.get_finished_spans()
    assert kinship(carried) == Kinship(ids(TRACEPARENT), [ids(AMBIENT)])
    assert kinship(absent) == Kinship(None, [ids(AMBIENT)])
    assert dict(carried.links[0].attributes or {}) == {"throughline.link": "http-request"}


@pytest.mark.parametrize("header", ["nonsense", TRACEPARENT, ""])
def test_a_request_without_new_context_is_not_linked(
    spans: InMemorySpanExporter, header: str
) -> None:
    """A malformed header, or one with the carrier's own ids, adds no link."""
    with APP.test_request_context(headers={"traceparent": header}):
        traced(lambda _: None, receive)({"traceparent": TRACEPARENT})
    assert the_span(spans).links == ()


def test_only_the_first_invocation_of_a_process_is_a_cold_start(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That holds even if the first one raises."""
    monkeypatch.setattr(invocation, "_warm", threading.Event())

    def fail(_argument: object) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        traced(fail, receive)(None)
    traced(lambda _: None, receive)(None)
    cold = [attributes_of(span)["faas.coldstart"] for span in spans.get_finished_spans()]
    assert cold == [True, False]


def test_concurrent_invocations_keep_their_parents_apart(spans: InMemorySpanExporter) -> None:
    """Many calls inside the function at once each have their own caller's trace."""
    count = 16
    inside = threading.Barrier(count)

    def work(_argument: object) -> None:
        inside.wait(timeout=20)
        trace.get_tracer("test").start_span("inner").end()
        inside.wait(timeout=20)

    function = traced(work, receive)
    callers = [f"00-{number:032x}-{number:016x}-01" for number in range(1, count + 1)]
    threads = [
        threading.Thread(target=function, args=({"traceparent": caller},)) for caller in callers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    finished = spans.get_finished_spans()
    outer = {span.context.span_id: span for span in finished if span.name == "work"}
    inner = [span for span in finished if span.name == "inner"]
    assert {kinship(span).parent for span in outer.values()} == {ids(c) for c in callers}
    assert len(inner) == count
    for span in inner:
        assert span.parent is not None
        assert span.context.trace_id == outer[span.parent.span_id].context.trace_id


def test_an_adapter_can_set_the_functions_result_on_its_span(spans: InMemorySpanExporter) -> None:
    """The hook runs while the span is open."""

    def received(argument: object) -> Reception:
        return Reception(
            carrier.read(None),
            "webhook",
            "charge-metadata",
            SpanKind.SERVER,
            {"url.path": str(argument)},
            lambda span, result: span.set_attribute("result", result),
        )

    traced(lambda _: "42", received)("/here")
    attributes = attributes_of(the_span(spans))
    assert (attributes["result"], attributes["url.path"]) == ("42", "/here")


def test_header_names_are_lowercase_and_empty_outside_a_request() -> None:
    """Their spelling by the client does not matter."""
    assert http_request.received() == {}
    with APP.test_request_context(headers={"X-Order": "7"}):
        assert http_request.received()["x-order"] == "7"


def test_the_remote_parents_ids_are_the_carriers(spans: InMemorySpanExporter) -> None:
    """The parent is marked as remote."""
    traced(lambda _: None, receive)({"traceparent": TRACEPARENT})
    parent = the_span(spans).parent
    assert parent is not None
    assert (f"{parent.trace_id:032x}", f"{parent.span_id:016x}") == (TRACE_ID, SPAN_ID)
    assert parent.is_remote
