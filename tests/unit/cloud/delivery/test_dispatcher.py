"""Tests of delivery, retries and dead letters, with fake emulators.

tests/hops/test_redelivery.py uses the real ones.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cloud.delivery.backoff import Backoff
from cloud.delivery.chaos import Chaos
from cloud.delivery.chaos_file import ChaosFile
from cloud.delivery.dispatcher import Dispatcher
from cloud.delivery.emulators import DeadLetters, Functions, truncate
from cloud.delivery.event import Attempt, Event
from tests.unit.framework import ROOT

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SPAN = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
LATER_SPAN = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b8-01"
OK = {"error": None, "span": LATER_SPAN, "parent": PARENT}
FAILED = {"error": "LookupError: no such order", "span": SPAN, "parent": PARENT}

QUICK = Backoff(attempts=3, first_seconds=0.01, max_seconds=0.02)


def source_line_of(span: ReadableSpan) -> str:
    """Return the source line that the code attributes of a span point to."""
    attributes = span.attributes or {}
    lines = (ROOT / str(attributes["code.file.path"])).read_text().splitlines()
    return lines[int(str(attributes["code.line.number"])) - 1]


class Emulators:
    """Fake functions and Pub/Sub emulators that record all requests.

    They answer deliveries with `reports` in turn, and repeat the last one.
    """

    def __init__(self, *reports: dict[str, Any] | None) -> None:
        self.reports = list(reports)
        self.deliveries: list[httpx.Request] = []
        self.letters: list[dict[str, Any]] = []
        self.pubsub_status = 200
        self.trigger = "us-central1-issue-0"
        self.spans = InMemorySpanExporter()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if "/topics/" in request.url.path:
            return self._pubsub(request)
        if not request.url.path.endswith(f"/triggers/{self.trigger}"):
            requested = request.url.path.partition("/triggers/")[2]
            valid = f"us-central1-reissue-99, {self.trigger}, us-central1-settle"
            await asyncio.sleep(0.01)  # so that concurrent deliveries use the old key too
            return httpx.Response(
                404, text=f"Function {requested} does not exist, valid functions are: {valid}"
            )
        self.deliveries.append(request)
        report = self.reports.pop(0) if len(self.reports) > 1 else self.reports[0]
        if report is None:
            raise httpx.ReadError("socket hang up")
        return httpx.Response(500 if report["error"] else 200, json=report)

    def _pubsub(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            return httpx.Response(409)
        self.letters += json.loads(request.content)["messages"]
        return httpx.Response(self.pubsub_status, json={"messageIds": ["42"]})

    def header_values(self, header: str) -> list[str | None]:
        """Return the value of a header in each delivery."""
        return [request.headers.get(header) for request in self.deliveries]

    def run(
        self, work: Callable[[Dispatcher], Awaitable[None]], chaos_file: Path | None = None
    ) -> None:
        """Run `work` with a dispatcher that uses these emulators."""
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.spans))

        async def running() -> None:
            async with httpx.AsyncClient(transport=httpx.MockTransport(self)) as http:
                dispatcher = Dispatcher(
                    Functions(http, "http://functions", "demo"),
                    DeadLetters(http, "http://pubsub", "demo"),
                    provider.get_tracer("test"),
                    QUICK,
                    ChaosFile(chaos_file),
                )
                await work(dispatcher)
                await dispatcher.end()

        asyncio.run(running())


def event(name: str = "7") -> Event:
    """Return an event for the function issue."""
    return Event("issue", {"ce-id": name, "content-type": "application/json"}, b"{}")


async def quiet(dispatcher: Dispatcher) -> dict[str, Any]:
    """Wait until nothing is pending, and return the dispatcher's state."""
    async with asyncio.timeout(10):
        while (state := dispatcher.state())["pending"]:
            await asyncio.sleep(0.005)
    return state


def test_a_failed_event_is_delivered_until_it_succeeds() -> None:
    """Each delivery has the number of the attempt and the span of the first one."""
    emulators = Emulators(FAILED, OK)

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.take(event(), Attempt("boom", SPAN, PARENT))
        state = await quiet(dispatcher)
        assert (state["attempts"], state["failed"], state["delivered"]) == (3, 2, 1)

    emulators.run(work)
    assert emulators.header_values("x-throughline-delivery-attempt") == ["2", "3"]
    assert emulators.header_values("x-throughline-first-attempt") == [SPAN, SPAN]
    assert emulators.letters == []


def test_an_event_that_never_succeeds_is_dead_lettered() -> None:
    """It is published to the topic, listed, and recorded as a span in its own trace."""
    emulators = Emulators(FAILED)

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.take(event(), Attempt("boom", SPAN, PARENT))
        state = await quiet(dispatcher)
        assert (state["attempts"], state["dead"], state["delivered"]) == (3, 1, 0)
        assert [letter["message_id"] for letter in dispatcher.dead] == ["42"]

    emulators.run(work)
    (letter,) = emulators.letters
    assert base64.b64decode(letter["data"]) == b"{}"
    assert letter["attributes"]["error"] == "LookupError: no such order"
    (span,) = emulators.spans.get_finished_spans()
    assert span.name == "send dead-letter"
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]
    assert span.status.description == "issue gave up after 3 attempts: LookupError: no such order"
    assert "telemetry.gave_up(" in source_line_of(span)
    assert letter["attributes"]["traceparent"].split("-")[2] == f"{span.context.span_id:016x}"


def test_a_dead_letter_that_cannot_be_published_is_still_listed() -> None:
    """Its span has the exception."""
    emulators = Emulators(FAILED)
    emulators.pubsub_status = 503

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.take(event(), Attempt("boom", SPAN, PARENT))
        assert (await quiet(dispatcher))["dead"] == 1
        assert [letter["message_id"] for letter in dispatcher.dead] == [None]

    emulators.run(work)
    (span,) = emulators.spans.get_finished_spans()
    assert [event.name for event in span.events] == ["exception"]


def test_an_attempt_without_a_span_is_recorded_once_its_trace_is_known() -> None:
    """The connection broke. The next attempt identifies the trace, and is the one that later
    attempts link to as the first."""
    emulators = Emulators(None, FAILED, OK)

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.take(event(), None)
        await quiet(dispatcher)

    emulators.run(work)
    (span,) = emulators.spans.get_finished_spans()
    assert span.name == "deliver issue"
    assert span.status.description == "no answer: ReadError socket hang up"
    assert (span.attributes or {})["throughline.delivery.attempt"] == 1
    assert "telemetry.spanless(" in source_line_of(span)
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]
    assert emulators.header_values("x-throughline-first-attempt") == [None, None, SPAN]


@pytest.mark.parametrize(
    "trigger",
    ["europe-west4-issue-0", "us-central1-issue-12", "us-central1-issue-3-locations/a/channels/b"],
)
def test_the_key_of_a_functions_trigger_is_read_from_the_emulators_error(trigger: str) -> None:
    """The region, the generation and the channel of the key can't be known in advance."""
    emulators = Emulators(OK)
    emulators.trigger = trigger

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.take(event(), None)
        assert (await quiet(dispatcher))["delivered"] == 1

    emulators.run(work)


def test_concurrent_deliveries_with_an_outdated_key_all_succeed() -> None:
    emulators = Emulators(OK)
    emulators.trigger = "us-central1-issue-1"

    async def work(dispatcher: Dispatcher) -> None:
        for name in ("one", "two", "three"):
            dispatcher.take(event(name), None)
        state = await quiet(dispatcher)
        assert (state["attempts"], state["delivered"], state["failed"]) == (3, 3, 0)

    emulators.run(work)


def test_a_duplicate_is_delivered_as_a_first_attempt() -> None:
    """An injected failure affects only one of the two copies."""
    emulators = Emulators(OK)

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.set_chaos(Chaos(seed=1, duplicate_rate=1, fail_rate=1))
        dispatcher.take(event(), None)
        state = await quiet(dispatcher)
        assert (state["taken"], state["delivered"], state["duplicated"]) == (1, 2, 1)

    emulators.run(work)
    assert emulators.header_values("x-throughline-delivery-attempt") == ["1", "1"]
    fails = emulators.header_values("x-throughline-delivery-fail")
    assert sum(fail in {"before", "after"} for fail in fails) == 1


def test_an_event_that_is_held_back_is_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is delivered once a later event of the same function was delivered."""
    monkeypatch.setattr("cloud.delivery.dispatcher.HELD_BACK_MAX_SECONDS", 60)
    emulators = Emulators(OK)

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.set_chaos(Chaos(reorder_rate=1))
        dispatcher.take(event("first"), None)
        await asyncio.sleep(0.02)
        assert emulators.deliveries == []
        dispatcher.set_chaos(Chaos())
        dispatcher.take(event("second"), None)
        await quiet(dispatcher)

    emulators.run(work)
    assert emulators.header_values("ce-id") == ["second", "first"]


def test_an_event_that_is_held_back_is_delivered_after_the_maximum_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cloud.delivery.dispatcher.HELD_BACK_MAX_SECONDS", 0.02)
    emulators = Emulators(OK)

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.set_chaos(Chaos(reorder_rate=1))
        dispatcher.take(event(), None)
        assert (await quiet(dispatcher))["delivered"] == 1

    emulators.run(work)


def test_the_chaos_file_exists_while_chaos_is_on(tmp_path: Path) -> None:
    """A file left behind by a killed process is removed at the start; the end removes it too."""
    chaos_file = tmp_path / "chaos"
    chaos_file.touch()
    seen: list[bool] = []

    async def work(dispatcher: Dispatcher) -> None:
        seen.append(chaos_file.exists())
        for chaos in (Chaos(fail_rate=0.1), Chaos(seed=7), Chaos(delay_ms_max=1)):
            dispatcher.set_chaos(chaos)
            seen.append(chaos_file.exists())

    Emulators(OK).run(work, chaos_file)
    assert seen == [False, True, False, True]
    assert not chaos_file.exists()


def test_setting_chaos_restarts_the_count_of_events() -> None:
    """The same request for chaos makes the same events fail."""

    def failing() -> list[bool]:
        emulators = Emulators(OK)

        async def work(dispatcher: Dispatcher) -> None:
            for _ in range(2):
                dispatcher.set_chaos(Chaos(seed=5, fail_rate=0.5))
                for _ in range(8):
                    dispatcher.take(event(), None)
                    await quiet(dispatcher)

        emulators.run(work)
        return [bool(fail) for fail in emulators.header_values("x-throughline-delivery-fail")]

    failures = failing()
    assert failures == failing()
    assert failures[:8] == failures[8:]
    assert 0 < sum(failures) < 16


def test_pending_deliveries_are_dropped_and_logged_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.set_chaos(Chaos(delay_ms_max=60_000))
        for _ in range(3):
            dispatcher.take(event(), None)

    Emulators(OK).run(work)
    assert caplog.messages == ["3 pending deliveries are dropped"]


def test_an_attribute_is_truncated_to_1024_bytes_at_a_character_boundary() -> None:
    assert truncate("é" * 600) == "é" * 512
    assert truncate("x" + "é" * 600) == "x" + "é" * 511
