"""The source line of the app that started a span."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest
from google.api_core.retry import Retry
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Tracer

import throughline
from tests.unit.functions.traceparents import TRACEPARENT, attributes_of, the_span
from throughline import carrier
from throughline.code_attributes import CodeAttributes
from throughline.invocation import Reception, traced

THIS_FILE = "tests/unit/functions/test_code_attributes.py"


@pytest.fixture
def memory() -> InMemorySpanExporter:
    """The exporter of the spans of one test."""
    return InMemorySpanExporter()


@pytest.fixture
def tracer(memory: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> Tracer:
    """A tracer that throughline uses during the test too."""
    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(CodeAttributes())
    made.add_span_processor(SimpleSpanProcessor(memory))
    monkeypatch.setattr(trace, "get_tracer", made.get_tracer)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: made)
    return made.get_tracer("test")


def here() -> Mapping[str, object]:
    """Return the `code.*` attributes of a span that starts on the line of this call."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return {
        "code.function.name": f"{__name__}.{frame.f_back.f_code.co_qualname}",
        "code.file.path": THIS_FILE,
        "code.line.number": frame.f_back.f_lineno,
    }


def code_of(memory: InMemorySpanExporter) -> Mapping[str, object]:
    """Return the `code.*` attributes of the only span."""
    attributes = attributes_of(the_span(memory))
    return {name: value for name, value in attributes.items() if name.startswith("code.")}


def test_a_span_has_the_line_that_started_it(tracer: Tracer, memory: InMemorySpanExporter) -> None:
    """It has the function and the file too."""
    expected, span = here(), tracer.start_span("work")
    span.end()
    assert code_of(memory) == expected


def test_a_librarys_span_has_the_line_that_called_the_library(
    tracer: Tracer, memory: InMemorySpanExporter
) -> None:
    """Frames of packages and the standard library are skipped, as for a Firestore call."""
    begin = Retry()(tracer.start_as_current_span)
    with contextlib.ExitStack() as stack:
        expected, _ = here(), stack.enter_context(begin("work"))
    assert code_of(memory) == expected


@pytest.mark.parametrize(
    "hop",
    [
        lambda: throughline.sending("topic"),
        lambda: throughline.enqueueing("queue"),
        lambda: throughline.publishing("type", "id"),
        lambda: throughline.calling("GET", "http://vendor.test/"),
        lambda: throughline.rejoining({"_trace": {"traceparent": TRACEPARENT}}, "resume"),
    ],
    ids=["sending", "enqueueing", "publishing", "calling", "rejoining"],
)
def test_a_hops_span_has_the_apps_line_not_throughlines(
    tracer: Tracer, memory: InMemorySpanExporter, hop: Callable[[], AbstractContextManager[Any]]
) -> None:
    """The line is that of the app's `with` statement."""
    with contextlib.ExitStack() as stack:
        expected, _ = here(), stack.enter_context(hop())
    assert code_of(memory) == expected


def test_a_functions_span_has_the_line_of_its_definition(
    tracer: Tracer, memory: InMemorySpanExporter
) -> None:
    """It is not the line that called the function."""

    def work(_argument: object) -> None:
        """Do nothing."""

    traced(work, lambda _: Reception(carrier.ABSENT, "schedule", None, SpanKind.CONSUMER))(None)
    assert code_of(memory)["code.line.number"] == work.__code__.co_firstlineno


def test_a_span_started_outside_the_app_has_no_line(
    tracer: Tracer, memory: InMemorySpanExporter
) -> None:
    """An example is a span of a thread that a library started."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(tracer.start_span, "work").result().end()
    assert code_of(memory) == {}


def test_frames_without_a_file_are_skipped(tracer: Tracer, memory: InMemorySpanExporter) -> None:
    """Code compiled from a string has no file; the line that runs it is used."""
    code = compile("begin('work').end()", "<made up>", "eval")
    expected, _ = here(), eval(code, {"begin": tracer.start_span})  # noqa: S307
    assert code_of(memory) == expected
