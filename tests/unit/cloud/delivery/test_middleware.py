"""Tests of the middleware around an event function: which events it hands over, and when."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind

from cloud.delivery.middleware import DeliveryMiddleware, DeliveryProcess, LastInvocation
from tests.unit.functions.traceparents import TRACEPARENT, ids
from tests.unit.local_server import LocalServer, free_port, serving
from throughline import carrier, http_request
from throughline.invocation import Reception, traced

EVENT = {"Ce-Id": "7", "Content-Type": "application/protobuf"}
BODY = b"\x00\xff protobuf"


class Worker:
    """A worker that serves one function through the middleware, and records what it received."""

    def __init__(
        self, work: Callable[[], None], url: str, chaos_file: Path | None, last: LastInvocation
    ) -> None:
        self.bodies: list[bytes] = []
        self.attempts: list[str | None] = []
        app = flask.Flask(__name__)

        def issue(_argument: object) -> None:
            work()

        function = traced(
            issue,
            lambda _: Reception(
                carrier.read({"traceparent": TRACEPARENT}), "pubsub", "any", SpanKind.CONSUMER
            ),
        )

        @app.post("/")
        @app.post("/<path:path>")
        def serve(path: str = "") -> str:
            self.bodies.append(flask.request.get_data())
            self.attempts.append(http_request.received().get("x-throughline-delivery-attempt"))
            function(None)
            return "OK"

        app.wsgi_app = DeliveryMiddleware(  # type: ignore[method-assign]
            app.wsgi_app, "issue", DeliveryProcess(url), chaos_file, last
        )
        self.client: FlaskClient = app.test_client()

    def deliver(self, **headers: str) -> tuple[int, bytes]:
        """POST the event, and return the response's status and body."""
        response = self.client.post("/functions/projects/", data=BODY, headers={**EVENT, **headers})
        return response.status_code, response.data


def succeed() -> None:
    """Return without an error."""


def fail() -> None:
    """Raise an error, as the function would."""
    raise LookupError("no such order")


@pytest.fixture
def process() -> Iterator[LocalServer]:
    """A delivery process that accepts every request."""
    with serving(lambda _: 202) as server:
        yield server


@pytest.fixture
def last(spans: object) -> LastInvocation:
    """The span processor that keeps the function's span."""
    invocations = LastInvocation()
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(invocations)
    return invocations


def handed_over(server: LocalServer) -> list[dict[str, Any]]:
    """Return the events that the delivery process received."""
    return [json.loads(request.body) for request in server.requests]


def test_an_event_that_succeeds_is_not_handed_over(
    process: LocalServer, last: LastInvocation, tmp_path: Path
) -> None:
    """The function receives the whole body, and the attempt number 1."""
    worker = Worker(succeed, process.url, tmp_path / "off", last)
    assert worker.deliver() == (200, b"OK")
    assert (worker.bodies, worker.attempts) == ([BODY], ["1"])
    assert process.requests == []


def test_an_event_that_fails_is_handed_over(process: LocalServer, last: LastInvocation) -> None:
    """So are its body, the error and the span; the emulator receives the usual response."""
    worker = Worker(fail, process.url, None, last)
    status, _ = worker.deliver()
    assert status == 500
    (event,) = handed_over(process)
    assert event["function"] == "issue"
    assert base64.b64decode(event["body"]) == BODY
    assert event["headers"]["Ce-Id"] == "7"
    assert event["failed"]["error"] == "LookupError: no such order"
    assert event["failed"]["parent"] == TRACEPARENT
    assert ids(event["failed"]["span"]).startswith(ids(TRACEPARENT).split("-")[0])
    assert event["failed"]["span"] != TRACEPARENT


def test_while_the_chaos_file_exists_an_event_is_handed_over_without_an_attempt(
    process: LocalServer, last: LastInvocation, tmp_path: Path
) -> None:
    chaos_file = tmp_path / "chaos"
    worker = Worker(succeed, process.url, chaos_file, last)
    chaos_file.touch()
    assert worker.deliver() == (200, b"")
    assert worker.bodies == []
    assert [event.get("failed") for event in handed_over(process)] == [None]
    chaos_file.unlink()
    worker.deliver()
    assert worker.bodies == [BODY]


@pytest.mark.parametrize("work", [succeed, fail])
def test_a_delivery_by_the_delivery_process_is_never_handed_over(
    process: LocalServer, last: LastInvocation, tmp_path: Path, work: Callable[[], None]
) -> None:
    """The process reads the result from the response."""
    chaos_file = tmp_path / "chaos"
    chaos_file.touch()
    worker = Worker(work, process.url, chaos_file, last)
    status, body = worker.deliver(**{"X-Throughline-Delivery-Attempt": "2"})
    report = json.loads(body)
    assert (status, report["error"]) == (
        (200, None) if work is succeed else (500, "LookupError: no such order")
    )
    assert report["parent"] == TRACEPARENT
    assert worker.attempts == ["2"]
    assert process.requests == []


@pytest.mark.parametrize(("when", "ran"), [("before", 0), ("after", 1)])
def test_an_injected_failure_happens_before_or_after_the_function_runs(
    process: LocalServer, last: LastInvocation, when: str, ran: int
) -> None:
    worker = Worker(succeed, process.url, None, last)
    status, body = worker.deliver(
        **{"X-Throughline-Delivery-Attempt": "1", "X-Throughline-Delivery-Fail": when}
    )
    assert status == 500
    assert json.loads(body)["error"] == f"made to fail {when} the function ran"
    assert len(worker.bodies) == ran
    assert ("span" in json.loads(body)) == bool(ran)


@pytest.mark.parametrize("process_status", [None, 400, 500])
@pytest.mark.parametrize("chaos", [False, True])
def test_without_the_delivery_process_events_run_once_and_one_warning_is_logged(
    last: LastInvocation,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    process_status: int | None,
    chaos: bool,
) -> None:
    """The process is down, or rejects the event."""
    caplog.set_level(logging.WARNING, "cloud.delivery.middleware")
    chaos_file = tmp_path / "chaos"
    if chaos:
        chaos_file.touch()
    with serving(lambda _: process_status or 0) as server:
        url = server.url if process_status else f"http://127.0.0.1:{free_port()}"
        worker = Worker(fail, url, chaos_file, last)
        assert [worker.deliver()[0] for _ in range(3)] == [500, 500, 500]
    assert worker.bodies == [BODY] * 3
    name = "cloud.delivery.middleware"
    (warning,) = [record.getMessage() for record in caplog.records if record.name == name]
    assert "accepts no events" in warning


def test_a_request_that_is_not_a_delivery_passes_through(
    process: LocalServer, last: LastInvocation, tmp_path: Path
) -> None:
    """A health probe is an example."""
    chaos_file = tmp_path / "chaos"
    chaos_file.touch()
    assert Worker(fail, process.url, chaos_file, last).client.get("/").status_code == 405
    assert process.requests == []
