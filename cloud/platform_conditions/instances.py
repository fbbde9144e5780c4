"""instances-come-and-go and cpu-only-during-requests: how the platform ends an instance.

Cloud Run starts and ends instances at any time, and an instance has no CPU between requests. The
emulator keeps its workers for as long as it runs, always with a CPU. These conditions end the
process that serves a function; Gunicorn, which keeps listening, forks the next one.

There are two differences. The new process has inherited all imports, so of a cold start only the
work of its first request is visible. And work that Cloud Run freezes may continue with the next
request, if there is one before the instance ends; here it is always lost.
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

RESPONSES_PER_INSTANCE = 2
#: Attribute of OpenTelemetry's semantic conventions that marks the span of an invocation.
INVOCATION = "faas.name"

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def inject(app: flask.Flask, condition: Condition, flags: Flags) -> None:
    """Make the instance that serves `app` end as `condition` describes, while its flag is on."""
    spans = InvocationSpans()
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.add_span_processor(spans)
    inner: Application = app.wsgi_app
    ending = ENDINGS[condition.name](inner)

    def serve(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        # Probes and browsers' preflight requests do not invoke the function.
        if environ["REQUEST_METHOD"] != "POST" or not flags.is_on(condition):
            return inner(environ, start_response)
        with spans.recording(condition):
            return ending(environ, start_response)

    app.wsgi_app = serve  # type: ignore[method-assign]


def after_two_responses(inner: Application) -> Application:
    """Make the instance end after its second response.

    Of every two responses, the first then comes from a new instance and the second does not.
    """
    responses = itertools.count(1)

    def serve(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        response = inner(environ, start_response)
        if next(responses) % RESPONSES_PER_INSTANCE == 0:
            stop_after_response()
        return response

    return serve


def with_the_response(inner: Application) -> Application:
    """Make the instance end as soon as its response is sent, even if work is unfinished."""

    def serve(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        stop_after_response()  # from now on Gunicorn sends requests to another process
        return _LastResponse(inner(environ, start_response))

    return serve


ENDINGS: Mapping[str, Callable[[Application], Application]] = {
    INSTANCES_COME_AND_GO.name: after_two_responses,
    CPU_ONLY_DURING_REQUESTS.name: with_the_response,
}


def stop_after_response() -> None:
    """Make the instance end once it has responded, with SIGTERM as Cloud Run does."""
    os.kill(os.getpid(), signal.SIGTERM)


class _LastResponse:
    """A response that ends the process when it is closed; the inner response's close is skipped."""

    def __init__(self, response: Iterable[bytes]) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._response)

    def close(self) -> None:
        """End the process; the server calls this after it has sent the whole response."""
        os._exit(0)


class InvocationSpans(SpanProcessor):
    """Records a condition on the span of the invocation that a request starts.

    The condition is evaluated when the request arrives, before the function's span exists.
    """

    def __init__(self) -> None:
        self._thread = threading.local()

    @contextmanager
    def recording(self, condition: Condition) -> Iterator[None]:
        """Record `condition` on the invocation span that starts in this block."""
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
