"""WSGI middleware that hands an event function's failed events to the delivery process for retry.

Eventarc and Pub/Sub retry an event when the function's response is an error; the emulators
acknowledge the event whatever the response is. On the local stack the delivery process retries.
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

from cloud.delivery.event import ATTEMPT_ATTRIBUTE, ATTEMPT_HEADER, FAIL_HEADER

HAND_OVER_TIMEOUT_SECONDS = 2.0

_log = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Report = dict[str, str | None]


def wrap(app: flask.Flask, url: str, chaos_file: str, function: str) -> None:
    """Put the middleware around `app`, which serves the event function `function`.

    Args:
        app: the WSGI application, with its tracing set up.
        url: URL of the delivery process.
        chaos_file: path of a file; while it exists, events go to the delivery process before the
            first attempt. Empty: chaos is never on.
        function: name of the function for which the emulator delivers events.
    """
    invocations = LastInvocation()
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.add_span_processor(invocations)
    app.wsgi_app = DeliveryMiddleware(  # type: ignore[method-assign]
        app.wsgi_app,
        function,
        DeliveryProcess(url),
        Path(chaos_file) if chaos_file else None,
        invocations,
    )


class DeliveryMiddleware:
    """Intercepts each event before its function runs, and the function's response afterwards."""

    def __init__(
        self,
        inner: Application,
        function: str,
        process: DeliveryProcess,
        chaos_file: Path | None,
        invocations: LastInvocation,
    ) -> None:
        self._inner = inner
        self._function = function
        self._process = process
        self._chaos_file = chaos_file
        self._invocations = invocations

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            return self._inner(environ, start_response)
        if _key(ATTEMPT_HEADER) in environ:
            return self._from_the_process(environ, start_response)
        return self._first(environ, start_response)

    def _first(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a delivery by the emulator; hand the event over if chaos is on or if it fails."""
        body = _keep_body(environ)
        headers = dict(flask.Request(environ).headers.items())

        def hand_over(failed: Report | None) -> bool:
            return self._process.take(
                {
                    "function": self._function,
                    "headers": headers,
                    "body": base64.b64encode(body).decode(),
                    "failed": failed,
                }
            )

        if self._chaos_file and self._chaos_file.exists() and hand_over(None):
            start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return []
        environ[_key(ATTEMPT_HEADER)] = "1"
        status, response_headers, response_body = self._run(environ)
        if not status.startswith("2"):
            hand_over(self._invocations.report(status))
        start_response(status, response_headers)
        return [response_body]

    def _from_the_process(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a delivery by the delivery process, and respond with a report of the invocation.

        The process may request a failure before the function runs, as if its instance did not
        start, or after, as if the instance ended before the response was sent.
        """
        fail = environ.get(_key(FAIL_HEADER))
        report: Report = {"error": f"made to fail {fail} the function ran"}
        status = "500 Internal Server Error"
        if fail != "before":
            actual_status, _, _ = self._run(environ)
            actual_report = self._invocations.report(actual_status)
            report = {**actual_report, **report} if fail else actual_report
            status = status if fail else actual_status
        body = json.dumps(report).encode()
        start_response(
            status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        )
        return [body]

    def _run(self, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
        self._invocations.forget()
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            started[:] = [status, headers]

        chunks = self._inner(environ, start_response)
        try:
            body = b"".join(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
        return started[0], started[1], body


class DeliveryProcess:
    """Client of the delivery process, which may be down."""

    def __init__(self, url: str) -> None:
        address = urllib.parse.urlsplit(url)
        self._host, self._port = address.hostname or "", address.port
        self._lost = False

    def take(self, event: dict[str, Any]) -> bool:
        """Hand an event over, and return whether the process accepted it.

        Only the first of several failures in a row is logged.
        """
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
                "The delivery process at %s:%s accepts no events (%s): failed events are not "
                "retried until it answers again",
                self._host,
                self._port,
                problem,
            )
        self._lost = bool(problem)
        return not problem


class LastInvocation(SpanProcessor):
    """Keeps the span of this thread's last invocation, to report the result of an attempt.

    An invocation's span has the attribute `throughline.delivery.attempt`; see README.md.
    """

    def __init__(self) -> None:
        self._thread = threading.local()

    def on_end(self, span: ReadableSpan) -> None:
        if ATTEMPT_ATTRIBUTE in (span.attributes or {}):
            self._thread.span = span

    def forget(self) -> None:
        """Discard the span of the previous invocation."""
        self._thread.span = None

    def report(self, status: str) -> Report:
        """Return the report of the invocation that ended with the status line `status`."""
        span: ReadableSpan | None = getattr(self._thread, "span", None)
        description = span.status.description if span else None
        problem = description or f"the function answered {status}"
        return {
            "error": None if status.startswith("2") else problem,
            "span": _traceparent(span.context) if span else None,
            "parent": _traceparent(span.parent) if span else None,
        }


def _keep_body(environ: Environ) -> bytes:
    """Return the request's body, and leave it readable for the application."""
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
