"""Between the emulator and a function: what a failed event needs to be delivered again.

On Google's platform Eventarc and Pub/Sub see a function's answer and act on it; the emulators
acknowledge whatever it is. On the local stack this middleware hands events over to the redelivery
process, which acts in their stead. It never runs in production.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import logging
import threading
import urllib.parse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import flask
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanContext

from throughline import attempt

FAIL_HEADER = "x-throughline-delivery-fail"

HAND_OVER_TIMEOUT_SECONDS = 2.0

_log = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Report = dict[str, str | None]


def install(url: str, switch: str, function: str) -> None:
    """Put the middleware around the event function that this process serves.

    `url` is the redelivery process's; while the file `switch` is there, events go to it before
    they are tried. Does nothing where `function` is empty, or main.py is only looked at.
    """
    if not function or flask.has_request_context() or not flask.has_app_context():
        return
    invocations = LastInvocation()
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.add_span_processor(invocations)
    app = flask.current_app
    app.wsgi_app = LocalDelivery(  # type: ignore[method-assign]
        app.wsgi_app, function, Redelivery(url), Path(switch) if switch else None, invocations
    )


class LocalDelivery:
    """WSGI middleware that sees every event before its function does, and the answer afterwards."""

    def __init__(
        self,
        inner: Application,
        function: str,
        redelivery: Redelivery,
        switch: Path | None,
        invocations: LastInvocation,
    ) -> None:
        self._inner = inner
        self._function = function
        self._redelivery = redelivery
        self._switch = switch
        self._invocations = invocations

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            return self._inner(environ, start_response)
        if _key(attempt.ATTEMPT_HEADER) in environ:
            return self._redelivered(environ, start_response)
        return self._first(environ, start_response)

    def _first(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The emulator's own delivery: hand it over if it is asked for, or if it fails."""
        body = _keep_body(environ)
        headers = dict(flask.Request(environ).headers.items())

        def hand_over(failed: Report | None) -> bool:
            return self._redelivery.take(
                {
                    "function": self._function,
                    "headers": headers,
                    "body": base64.b64encode(body).decode(),
                    "failed": failed,
                }
            )

        if self._switch and self._switch.exists() and hand_over(None):
            start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return []
        environ[_key(attempt.ATTEMPT_HEADER)] = "1"
        status, answered, answer = self._run(environ)
        if not status.startswith("2"):
            hand_over(self._invocations.report(status))
        start_response(status, answered)
        return [answer]

    def _redelivered(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The redelivery process's delivery: it sees the answer by itself, and wants to know more.

        It may ask for a failure before the function runs, as of an instance that doesn't start, or
        after, as of one that ends before its answer is out.
        """
        fail = environ.get(_key(FAIL_HEADER))
        report: Report = {"error": f"made to fail {fail} the function ran"}
        status = "500 Internal Server Error"
        if fail != "before":
            answered, _, _ = self._run(environ)
            found = self._invocations.report(answered)
            report = {**found, **report} if fail else found
            status = status if fail else answered
        answer = json.dumps(report).encode()
        start_response(
            status, [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
        )
        return [answer]

    def _run(self, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
        self._invocations.forget()
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            started[:] = [status, headers]

        parts = self._inner(environ, start_response)
        try:
            answer = b"".join(parts)
        finally:
            if close := getattr(parts, "close", None):
                close()
        return started[0], started[1], answer


class Redelivery:
    """The process that failed events are handed over to; it may be down."""

    def __init__(self, url: str) -> None:
        address = urllib.parse.urlsplit(url)
        self._host, self._port = address.hostname or "", address.port
        self._lost = False

    def take(self, event: dict[str, Any]) -> bool:
        """Hand an event over; returns whether it was taken. That it wasn't is said once."""
        connection = http.client.HTTPConnection(
            self._host, self._port, timeout=HAND_OVER_TIMEOUT_SECONDS
        )
        try:
            connection.request(
                "POST", "/events", json.dumps(event), {"Content-Type": "application/json"}
            )
            status = connection.getresponse().status
            problem = "" if status == 202 else f"it answered {status}"
        except (OSError, http.client.HTTPException) as error:
            problem = f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        if problem and not self._lost:
            _log.warning(
                "The redelivery process at %s:%s takes no events (%s): they run without it, and "
                "those that fail are lost",
                self._host,
                self._port,
                problem,
            )
        self._lost = bool(problem)
        return not problem


class LastInvocation(SpanProcessor):
    """Remembers this thread's last function span, for who has to say what became of an event."""

    def __init__(self) -> None:
        self._thread = threading.local()

    def on_end(self, span: ReadableSpan) -> None:
        if attempt.ATTRIBUTE in (span.attributes or {}):
            self._thread.span = span

    def forget(self) -> None:
        """Begin anew."""
        self._thread.span = None

    def report(self, status: str) -> Report:
        """How the invocation ended, given the response's status line."""
        span: ReadableSpan | None = getattr(self._thread, "span", None)
        said = span.status.description if span else None
        return {
            "error": None if status.startswith("2") else said or f"the function answered {status}",
            "span": _traceparent(span.context) if span else None,
            "parent": _traceparent(span.parent) if span else None,
        }


def _keep_body(environ: Environ) -> bytes:
    """Read the request's body, and leave it there to be read again."""
    body = flask.Request(environ).get_data(cache=False)
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return body


def _key(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"


def _traceparent(context: SpanContext | None) -> str | None:
    if context is None:
        return None
    ids = f"{trace.format_trace_id(context.trace_id)}-{trace.format_span_id(context.span_id)}"
    return f"00-{ids}-{context.trace_flags:02x}"
