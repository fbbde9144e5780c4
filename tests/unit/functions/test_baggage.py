"""Baggage carries only valid values of the app's keys, and documents override it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

import pytest
from opentelemetry import baggage, context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import throughline
from boxoffice.baggage import KEYS
from tests.unit.functions.traceparents import TRACEPARENT, attributes_of, ids
from throughline import baggage_corrections, carrier
from throughline.baggage_attributes import BaggageAttributes

ORDER, OTHER_ORDER = "AbCdEfGhIjKlMnOpQrSt", "ZzZzZzZzZzZzZzZzZzZz"


@pytest.fixture(autouse=True)
def _keys_of_the_box_office(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "_allowed_keys", {})
    carrier.allow_baggage(KEYS)


def arrive(**entries: str) -> carrier.Arrival:
    """Return what a hop reads from these entries; `_` in a key stands for a dot."""
    members = (f"{key.replace('_', '.')}={quote(value)}" for key, value in entries.items())
    return carrier.read({"traceparent": TRACEPARENT, "baggage": ",".join(members)})


@pytest.mark.parametrize("value", [ORDER, "order-1", "a", "x" * 64])
def test_an_orders_id_is_carried(value: str) -> None:
    """Valid ids arrive unchanged, and no loss is recorded."""
    arrival = arrive(order_id=value, show_id="night-ferry")
    assert baggage.get_all(arrival.context) == {"order.id": value, "show.id": "night-ferry"}
    assert arrival.reason is None


@pytest.mark.parametrize(
    "value",
    [
        "buyer@example.org",
        "4242424242424242",
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "line\nbreak",
        "x" * 65,
        "x" * 4_000,
        "a/b",
        "..",
        "__x__",
        "<script>",
        "é",
        "🎟",
    ],
)
@pytest.mark.parametrize("key", ["order_id", "show_id"])
def test_an_invalid_value_is_dropped_alone(key: str, value: str) -> None:
    """The trace and the other entry are kept; the reason names the key, not the value."""
    other = {"order_id": {"show_id": "night-ferry"}, "show_id": {"order_id": ORDER}}[key]
    arrival = arrive(**{key: value}, **other)
    assert arrival.state == "carried"
    assert arrival.span_context
    assert f"{arrival.span_context.trace_id:032x}" == ids(TRACEPARENT).split("-")[0]
    kept = {name.replace("_", "."): text for name, text in other.items()}
    assert baggage.get_all(arrival.context) == kept
    assert arrival.reason == f"baggage {key.replace('_', '.')} is malformed"


def test_an_invalid_value_is_not_sent() -> None:
    """This holds even if the function itself set it."""
    token = context.attach(baggage.set_baggage("order.id", "a@example.org", arrive().context))
    try:
        assert "baggage" not in carrier.write()
    finally:
        context.detach(token)


@pytest.fixture
def invocation() -> Iterator[tuple[TracerProvider, InMemorySpanExporter]]:
    """Run an invocation that received another order's id; its spans go to the exporter."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BaggageAttributes(KEYS))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    received = arrive(order_id=OTHER_ORDER, show_id="night-ferry").context
    token = context.attach(baggage_corrections.begin(received))
    yield provider, exporter
    context.detach(token)


def attributes_by_name(exporter: InMemorySpanExporter) -> Mapping[str, Mapping[str, object]]:
    """Return the attributes of each span by its name."""
    return {span.name: attributes_of(span) for span in exporter.get_finished_spans()}


def test_the_document_overrides_the_baggage(
    invocation: tuple[TracerProvider, InMemorySpanExporter],
) -> None:
    """Later spans and outgoing calls use the document's value; the current span notes this."""
    provider, exporter = invocation
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("function"):
        throughline.correct_baggage({"order.id": ORDER, "show.id": "night-ferry"})
        with tracer.start_as_current_span("read"):
            sent = carrier.write()["baggage"]
    assert sent == f"order.id={ORDER},show.id=night-ferry"
    assert attributes_by_name(exporter)["read"]["boxoffice.order.id"] == ORDER
    reason = attributes_by_name(exporter)["function"]["throughline.context.reason"]
    assert reason == "baggage order.id differs from the document"


def test_a_correction_ends_with_its_invocation(
    invocation: tuple[TracerProvider, InMemorySpanExporter],
) -> None:
    """The next invocation on the same thread starts without corrections."""
    throughline.correct_baggage({"order.id": ORDER})
    token = context.attach(baggage_corrections.begin(arrive(order_id=OTHER_ORDER).context))
    try:
        assert baggage_corrections.current() == {"order.id": OTHER_ORDER}
    finally:
        context.detach(token)
    assert baggage_corrections.current()["order.id"] == ORDER


def test_a_correction_outside_an_invocation_does_nothing() -> None:
    """Scripts can call the same code."""
    throughline.correct_baggage({"order.id": ORDER})
    assert baggage_corrections.current() == {}
