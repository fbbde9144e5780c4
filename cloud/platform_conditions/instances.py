"""instances-come-and-go and cpu-only-during-requests: how the platform ends an instance.

Cloud Run starts and ends instances whenever it sees fit, and gives one no CPU between its requests.
The emulator keeps its workers for as long as it runs, and they have a CPU all the time. Here the
process that serves a function is ended instead, and Gunicorn, which keeps listening, forks the
next.

Two differences: the next process has everything imported that the last one had, so of a cold start
only the work of its first request is seen. And what Cloud Run freezes may go on with the next
request, if there is one before the instance ends; here it is lost for sure.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import flask
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider

from cloud.platform_conditions.catalogue import (
    CPU_ONLY_DURING_REQUESTS,
    INSTANCES_COME_AND_GO,
    Condition,
)
from cloud.platform_conditions.flags import Flags, record

ANSWERS_AN_INSTANCE = 2
#: The attribute of OpenTelemetry's semantic conventions that the span of an invocation has.
INVOCATION = "faas.name"

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def inject(app: flask.Flask, condition: Condition, flags: Flags) -> None:
    """Have the instance that serves `app` end as `condition` says, while that is on."""
    spans = InvocationSpans()
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.add_span_processor(spans)
    inner: Application = app.wsgi_app
    ending = ENDINGS[condition.name](inner)

    def serve(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        # A probe or a browser's preflight request is no call of the function.
        if environ["REQUEST_METHOD"] != "POST" or not flags.is_on(condition):
            return inner(environ, start_response)
        with spans.meeting(condition):
            return ending(environ, start_response)

    app.wsgi_app = serve  # type: ignore[method-assign]


def after_two_answers(inner: Application) -> Application:
    """Have the instance end after each second answer, so that the first of each two comes from a
    new instance and the other does not."""
    answers = itertools.count(1)

    def serve(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        response = inner(environ, start_response)
        if next(answers) % ANSWERS_AN_INSTANCE == 0:
            take_away()
        return response

    return serve


def with_the_answer(inner: Application) -> Application:
    """Have the instance end the moment its answer is sent, whatever it is at then."""

    def serve(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        take_away()  # Gunicorn gives the next request to another process from here on
        return _LastAnswer(inner(environ, start_response))

    return serve


ENDINGS: Mapping[str, Callable[[Application], Application]] = {
    INSTANCES_COME_AND_GO.name: after_two_answers,
    CPU_ONLY_DURING_REQUESTS.name: with_the_answer,
}


def take_away() -> None:
    """Have the instance end as soon as it has answered: SIGTERM, as Cloud Run says it."""
    os.kill(os.getpid(), signal.SIGTERM)


class _LastAnswer:
    """A response after which the process is gone: what was to run on its close never does."""

    def __init__(self, response: Iterable[bytes]) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._response)

    def close(self) -> None:
        """End the process; the server calls it once all is sent."""
        os._exit(0)


class InvocationSpans(SpanProcessor):
    """Record a condition on the span of the invocation that a request begins.

    When the request comes in, before the function runs, there is no span yet.
    """

    def __init__(self) -> None:
        self._thread = threading.local()

    @contextmanager
    def meeting(self, condition: Condition) -> Iterator[None]:
        """Record `condition` on the span that begins in this block."""
        self._thread.condition = condition
        try:
            yield
        finally:
            self._thread.condition = None

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  (the SDK passes it by name)
    ) -> None:
        condition: Condition | None = getattr(self._thread, "condition", None)
        if condition and INVOCATION in (span.attributes or {}):
            record(span, condition)
