"""The Hypothesis profile, the event loop, and the spans of the test process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

# Deterministic examples, without limits on time.
settings.register_profile(
    "throughline",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("throughline")


@pytest.fixture(autouse=True)
def no_running_loop() -> Iterator[None]:
    """Let a test start an event loop although that of a browser is marked as running.

    Playwright's synchronous API leaves it so between its calls, as long as a browser is open. In
    the same process tests with a browser may have run before.
    """
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)


@pytest.fixture(scope="session")
def exporter() -> InMemorySpanExporter:
    """The exporter of this process; OpenTelemetry's provider can be set only once per process."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    trace.set_tracer_provider(provider)
    return memory


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    """The exporter, holding only the spans of one test."""
    exporter.clear()
    yield exporter
    assert not trace.get_current_span().get_span_context().is_valid, "a span was left current"
