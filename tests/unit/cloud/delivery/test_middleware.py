"""The middleware around an event function: which events it hands over, and when."""

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
    """A worker that serves one function through the middleware, and what the function was given."""

    def __init__(
        self, work: Callable[[], None], url: str, switch: Path | None, seen: LastInvocation
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
            app.wsgi_app, "issue", DeliveryProcess(url), switch, seen
        )
        self.client: FlaskClient = app.test_client()

    def deliver(self, **headers: str) -> tuple[int, bytes]:
        """POST the event; returns the status and the body of the answer."""
        answer = self.client.post("/functions/projects/", data=BODY, headers={**EVENT, **headers})
        return answer.status_code, answer.data


def succeed() -> None:
    """Do the work."""


def fail() -> None:
    """Don't."""
    raise LookupError("no such order")


@pytest.fixture
def process() -> Iterator[LocalServer]:
    """A delivery process that takes whatever it is given."""
    with serving(lambda _: 202) as server:
        yield server


@pytest.fixture
def last(spans: object) -> LastInvocation:
    """What remembers the function's span."""
    invocations = LastInvocation()
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(invocations)
    return invocations


def handed_over(server: LocalServer) -> list[dict[str, Any]]:
    """The events that the delivery process was given."""
    return [json.loads(asked.body) for asked in server.asked]


def test_an_event_that_succeeds_goes_nowhere_else(
    process: LocalServer, last: LastInvocation, tmp_path: Path
) -> None:
    """It runs as the first attempt, with its body whole, and nobody is told."""
    worker = Worker(succeed, process.url, tmp_path / "off", last)
    assert worker.deliver() == (200, b"OK")
    assert (worker.bodies, worker.attempts) == ([BODY], ["1"])
    assert process.asked == []


def test_an_event_that_fails_is_handed_over(process: LocalServer, last: LastInvocation) -> None:
    """Whole, with why it failed and which span tells of it; the emulator's answer is as ever."""
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


def test_with_chaos_on_an_event_is_handed_over_untried(
    process: LocalServer, last: LastInvocation, tmp_path: Path
) -> None:
    """As soon as the switch is there, and no longer than that."""
    switch = tmp_path / "switch"
    worker = Worker(succeed, process.url, switch, last)
    switch.touch()
    assert worker.deliver() == (200, b"")
    assert worker.bodies == []
    assert [event.get("failed") for event in handed_over(process)] == [None]
    switch.unlink()
    worker.deliver()
    assert worker.bodies == [BODY]


@pytest.mark.parametrize("work", [succeed, fail])
def test_an_event_that_was_delivered_again_is_never_handed_over(
    process: LocalServer, last: LastInvocation, tmp_path: Path, work: Callable[[], None]
) -> None:
    """Who delivers it sees the answer, which says what happened."""
    switch = tmp_path / "switch"
    switch.touch()
    worker = Worker(work, process.url, switch, last)
    status, answer = worker.deliver(**{"X-Throughline-Delivery-Attempt": "2"})
    said = json.loads(answer)
    assert (status, said["error"]) == (
        (200, None) if work is succeed else (500, "LookupError: no such order")
    )
    assert said["parent"] == TRACEPARENT
    assert worker.attempts == ["2"]
    assert process.asked == []


@pytest.mark.parametrize(("when", "ran"), [("before", 0), ("after", 1)])
def test_an_attempt_fails_where_it_is_asked_to(
    process: LocalServer, last: LastInvocation, when: str, ran: int
) -> None:
    """Before, and nothing was done; or after, when it was and nobody knows."""
    worker = Worker(succeed, process.url, None, last)
    status, answer = worker.deliver(
        **{"X-Throughline-Delivery-Attempt": "1", "X-Throughline-Delivery-Fail": when}
    )
    assert status == 500
    assert json.loads(answer)["error"] == f"made to fail {when} the function ran"
    assert len(worker.bodies) == ran
    assert ("span" in json.loads(answer)) == bool(ran)


@pytest.mark.parametrize("answer", [None, 400, 500])
@pytest.mark.parametrize("chaos", [False, True])
def test_without_the_delivery_process_events_run_as_the_emulator_has_it(
    last: LastInvocation,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    answer: int | None,
    chaos: bool,
) -> None:
    """None is there, or it takes nothing: the event runs, its failure is its own, and the log
    says once that it was lost."""
    caplog.set_level(logging.WARNING, "cloud.delivery.middleware")
    switch = tmp_path / "switch"
    if chaos:
        switch.touch()
    with serving(lambda _: answer or 0) as server:
        url = server.url if answer else f"http://127.0.0.1:{free_port()}"
        worker = Worker(fail, url, switch, last)
        assert [worker.deliver()[0] for _ in range(3)] == [500, 500, 500]
    assert worker.bodies == [BODY] * 3
    name = "cloud.delivery.middleware"
    (warning,) = [record.getMessage() for record in caplog.records if record.name == name]
    assert "takes no events" in warning


def test_a_request_that_is_no_delivery_is_none_of_its_business(
    process: LocalServer, last: LastInvocation, tmp_path: Path
) -> None:
    """A probe, for one."""
    switch = tmp_path / "switch"
    switch.touch()
    assert Worker(fail, process.url, switch, last).client.get("/").status_code == 405
    assert process.asked == []
