"""When events are delivered, and what becomes of them. The emulators' side is played by a function
in this process, because the tests of the hops have the real ones."""

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
from cloud.delivery.emulators import DeadLetters, Functions, cut
from cloud.delivery.event import Attempt, Event
from tests.unit.framework import ROOT

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SPAN = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
LATER_SPAN = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b8-01"
OK = {"error": None, "span": LATER_SPAN, "parent": PARENT}
FAILED = {"error": "LookupError: no such order", "span": SPAN, "parent": PARENT}

QUICK = Backoff(attempts=3, first_seconds=0.01, max_seconds=0.02)


def line_that_began(span: ReadableSpan) -> str:
    """The line of source that a span names."""
    said = span.attributes or {}
    lines = (ROOT / str(said["code.file.path"])).read_text().splitlines()
    return lines[int(str(said["code.line.number"])) - 1]


class Emulators:
    """Answers deliveries with the given reports in turn, the last one for ever, and notes all."""

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
            asked = request.url.path.partition("/triggers/")[2]
            valid = f"us-central1-reissue-99, {self.trigger}, us-central1-settle"
            await asyncio.sleep(0.01)  # so that others ask meanwhile
            return httpx.Response(
                404, text=f"Function {asked} does not exist, valid functions are: {valid}"
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

    def said(self, header: str) -> list[str | None]:
        """That header of each delivery."""
        return [request.headers.get(header) for request in self.deliveries]

    def run(
        self, work: Callable[[Dispatcher], Awaitable[None]], chaos_file: Path | None = None
    ) -> None:
        """Run a dispatcher between these emulators while `work` does."""
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
    """An event for the function issue."""
    return Event("issue", {"ce-id": name, "content-type": "application/json"}, b"{}")


async def quiet(dispatcher: Dispatcher) -> dict[str, Any]:
    """The state once nothing is pending."""
    async with asyncio.timeout(10):
        while (state := dispatcher.state())["pending"]:
            await asyncio.sleep(0.005)
    return state


def test_a_failed_event_is_delivered_until_it_succeeds() -> None:
    """Each time with its attempt's number, and with the first one's span."""
    emulators = Emulators(FAILED, OK)

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.take(event(), Attempt("boom", SPAN, PARENT))
        state = await quiet(dispatcher)
        assert (state["attempts"], state["failed"], state["delivered"]) == (3, 2, 1)

    emulators.run(work)
    assert emulators.said("x-throughline-delivery-attempt") == ["2", "3"]
    assert emulators.said("x-throughline-first-attempt") == [SPAN, SPAN]
    assert emulators.letters == []


def test_an_event_that_never_succeeds_is_set_aside() -> None:
    """On the topic with what was known of it, in the list, and as a span in its own trace."""
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
    assert "telemetry.gave_up(" in line_that_began(span)
    assert letter["attributes"]["traceparent"].split("-")[2] == f"{span.context.span_id:016x}"


def test_an_event_that_no_topic_takes_is_still_in_the_list() -> None:
    """And the span says that the topic refused it."""
    emulators = Emulators(FAILED)
    emulators.pubsub_status = 503

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.take(event(), Attempt("boom", SPAN, PARENT))
        assert (await quiet(dispatcher))["dead"] == 1
        assert [letter["message_id"] for letter in dispatcher.dead] == [None]

    emulators.run(work)
    (span,) = emulators.spans.get_finished_spans()
    assert [event.name for event in span.events] == ["exception"]


def test_an_attempt_that_left_no_span_is_told_of_once_its_trace_is_known() -> None:
    """The connection broke; the next attempt says where the event belongs, and is the first one
    that a later could be linked to."""
    emulators = Emulators(None, FAILED, OK)

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.take(event(), None)
        await quiet(dispatcher)

    emulators.run(work)
    (span,) = emulators.spans.get_finished_spans()
    assert span.name == "deliver issue"
    assert span.status.description == "no answer: ReadError socket hang up"
    assert (span.attributes or {})["throughline.delivery.attempt"] == 1
    assert "telemetry.spanless(" in line_that_began(span)
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]
    assert emulators.said("x-throughline-first-attempt") == [None, None, SPAN]


@pytest.mark.parametrize(
    "trigger",
    ["europe-west4-issue-0", "us-central1-issue-12", "us-central1-issue-3-locations/a/channels/b"],
)
def test_a_functions_trigger_is_found(trigger: str) -> None:
    """In another region, after the functions were loaded anew, on an Eventarc channel: the emulator
    names its triggers when it is asked for one that it hasn't."""
    emulators = Emulators(OK)
    emulators.trigger = trigger

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.take(event(), None)
        assert (await quiet(dispatcher))["delivered"] == 1

    emulators.run(work)


def test_all_who_ask_for_a_trigger_at_once_find_it() -> None:
    """Whoever hears of it second has not failed."""
    emulators = Emulators(OK)
    emulators.trigger = "us-central1-issue-1"

    async def work(dispatcher: Dispatcher) -> None:
        for name in ("one", "two", "three"):
            dispatcher.take(event(name), None)
        state = await quiet(dispatcher)
        assert (state["attempts"], state["delivered"], state["failed"]) == (3, 3, 0)

    emulators.run(work)


def test_a_duplicate_is_delivered_as_if_it_were_the_only_one() -> None:
    """Both are first attempts; one that is made to fail is so once."""
    emulators = Emulators(OK)

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.set_chaos(Chaos(seed=1, duplicate_rate=1, fail_rate=1))
        dispatcher.take(event(), None)
        state = await quiet(dispatcher)
        assert (state["taken"], state["delivered"], state["duplicated"]) == (1, 2, 1)

    emulators.run(work)
    assert emulators.said("x-throughline-delivery-attempt") == ["1", "1"]
    fails = emulators.said("x-throughline-delivery-fail")
    assert sum(fail in {"before", "after"} for fail in fails) == 1


def test_an_event_that_is_held_back_is_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes after one that was taken later, whose delivery lets it go."""
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
    assert emulators.said("ce-id") == ["second", "first"]


def test_an_event_that_nothing_overtakes_comes_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a while."""
    monkeypatch.setattr("cloud.delivery.dispatcher.HELD_BACK_MAX_SECONDS", 0.02)
    emulators = Emulators(OK)

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.set_chaos(Chaos(reorder_rate=1))
        dispatcher.take(event(), None)
        assert (await quiet(dispatcher))["delivered"] == 1

    emulators.run(work)


def test_the_switch_is_there_while_chaos_is_on(tmp_path: Path) -> None:
    """One that a killed process left is taken away, and the end takes it away too."""
    switch = tmp_path / "switch"
    switch.touch()
    seen: list[bool] = []

    async def work(dispatcher: Dispatcher) -> None:
        seen.append(switch.exists())
        for chaos in (Chaos(fail_rate=0.1), Chaos(seed=7), Chaos(delay_ms_max=1)):
            dispatcher.set_chaos(chaos)
            seen.append(switch.exists())

    Emulators(OK).run(work, switch)
    assert seen == [False, True, False, True]
    assert not switch.exists()


def test_chaos_begins_anew_each_time_it_is_asked_for() -> None:
    """So that the same request has the same consequences."""

    def failing() -> list[bool]:
        emulators = Emulators(OK)

        async def work(dispatcher: Dispatcher) -> None:
            for _ in range(2):
                dispatcher.set_chaos(Chaos(seed=5, fail_rate=0.5))
                for _ in range(8):
                    dispatcher.take(event(), None)
                    await quiet(dispatcher)

        emulators.run(work)
        return [bool(fail) for fail in emulators.said("x-throughline-delivery-fail")]

    once = failing()
    assert once == failing()
    assert once[:8] == once[8:]
    assert 0 < sum(once) < 16


def test_what_is_under_way_at_the_end_is_dropped_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing keeps it, and nothing waits for it."""

    async def work(dispatcher: Dispatcher) -> None:
        dispatcher.set_chaos(Chaos(delay_ms_max=60_000))
        for _ in range(3):
            dispatcher.take(event(), None)

    Emulators(OK).run(work)
    assert caplog.messages == ["3 pending deliveries are dropped"]


def test_an_attribute_is_cut_to_what_pubsub_takes() -> None:
    """1,024 bytes of UTF-8, without half a character at the end."""
    assert cut("é" * 600) == "é" * 512
    assert cut("x" + "é" * 600) == "x" + "é" * 511
