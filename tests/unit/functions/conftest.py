"""Spans of this process, kept where a test can look at them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from throughline import carrier


@pytest.fixture(scope="session")
def exporter() -> InMemorySpanExporter:
    """Where this process's spans go; OpenTelemetry lets a process be set up only once."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    trace.set_tracer_provider(provider)
    return memory


class _Every(set[str]):
    """Keys of baggage, every one of them."""

    def __contains__(self, _key: object) -> bool:
        return True


@pytest.fixture(scope="session", autouse=True)
def _any_baggage_crosses() -> Iterator[None]:
    """Let the tests send what baggage they like; the ones about the allow-list set their own."""
    listed = carrier._passed_on
    carrier._passed_on = _Every()
    yield
    carrier._passed_on = listed


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    """The spans of one test."""
    exporter.clear()
    yield exporter
    assert not trace.get_current_span().get_span_context().is_valid, "a span was left current"
