"""Where in the app a span was begun."""

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
    """Where the spans of one test go."""
    return InMemorySpanExporter()


@pytest.fixture
def tracer(memory: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> Tracer:
    """What throughline itself begins spans with during the test."""
    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(CodeAttributes())
    made.add_span_processor(SimpleSpanProcessor(memory))
    monkeypatch.setattr(trace, "get_tracer", made.get_tracer)
    return made.get_tracer("test")


def here() -> Mapping[str, object]:
    """What a span should say that the caller begins on the line of this call."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return {
        "code.function.name": f"{__name__}.{frame.f_back.f_code.co_qualname}",
        "code.file.path": THIS_FILE,
        "code.line.number": frame.f_back.f_lineno,
    }


def code_of(memory: InMemorySpanExporter) -> Mapping[str, object]:
    """What the one span says of its source."""
    found = attributes_of(the_span(memory))
    return {name: value for name, value in found.items() if name.startswith("code.")}


def test_a_span_says_which_line_began_it(tracer: Tracer, memory: InMemorySpanExporter) -> None:
    """In which function and which file, too."""
    expected, span = here(), tracer.start_span("work")
    span.end()
    assert code_of(memory) == expected


def test_a_span_that_a_library_begins_names_who_called_the_library(
    tracer: Tracer, memory: InMemorySpanExporter
) -> None:
    """Past a package's frames and the standard library's, as a Firestore call is made."""
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
        lambda: throughline.rejoining({"_trace": {"traceparent": TRACEPARENT}}, "mend"),
    ],
    ids=["sending", "enqueueing", "publishing", "calling", "rejoining"],
)
def test_a_hops_span_names_the_apps_line_and_not_throughlines(
    tracer: Tracer, memory: InMemorySpanExporter, hop: Callable[[], AbstractContextManager[Any]]
) -> None:
    """It is the line of the app's own `with`."""
    with contextlib.ExitStack() as stack:
        expected, _ = here(), stack.enter_context(hop())
    assert code_of(memory) == expected


def test_a_functions_own_span_keeps_the_line_of_the_function(
    tracer: Tracer, memory: InMemorySpanExporter
) -> None:
    """And not that of whoever called it."""

    def work(_argument: object) -> None:
        """Do nothing."""

    traced(work, lambda _: Reception(carrier.ABSENT, "schedule", None, SpanKind.CONSUMER))(None)
    assert code_of(memory)["code.line.number"] == work.__code__.co_firstlineno


def test_a_span_that_no_line_of_the_app_began_names_none(
    tracer: Tracer, memory: InMemorySpanExporter
) -> None:
    """As in a thread of a library's own."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(tracer.start_span, "work").result().end()
    assert code_of(memory) == {}


def test_code_without_a_file_is_passed_over(tracer: Tracer, memory: InMemorySpanExporter) -> None:
    """What was compiled from a string has no line to open; who ran it has one."""
    code = compile("begin('work').end()", "<made up>", "eval")
    expected, _ = here(), eval(code, {"begin": tracer.start_span})  # noqa: S307
    assert code_of(memory) == expected
