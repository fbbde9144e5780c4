"""Group delivery: waiting requests share an export, and none answers before it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from opentelemetry import context, trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from tests.unit.local_server import eventually
from throughline.delivery import KEPT_MAX_ITEMS, Outage
from throughline.group_delivery import GroupDelivery, RecordCollector, SpanCollector

SECONDS = 20.0


class Endpoint:
    """Accepts spans and log records; each export blocks until `gate` is set."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.span_exports: list[list[str]] = []
        self.record_exports: list[list[str]] = []
        self.at_once = 0
        self.at_once_max = 0
        self._lock = threading.Lock()

    def spans(self, batch: Sequence[ReadableSpan]) -> Callable[[], bool]:
        return self._take(self.span_exports, [span.name for span in batch])

    def records(self, batch: Sequence[Any]) -> Callable[[], bool]:
        return self._take(self.record_exports, [str(each.log_record.body) for each in batch])

    def _take(self, exports: list[list[str]], names: list[str]) -> Callable[[], bool]:
        assert context.get_value(_SUPPRESS_INSTRUMENTATION_KEY), "an export is not traced itself"
        with self._lock:
            exports.append(names)
            self.at_once += 1
            self.at_once_max = max(self.at_once_max, self.at_once)

        def answered() -> bool:
            assert self.gate.wait(SECONDS)
            with self._lock:
                self.at_once -= 1
            return True

        return answered

    def names(self) -> list[str]:
        """Return the names of all accepted spans."""
        return sorted(name for batch in self.span_exports for name in batch)


class App:
    """A process's telemetry with the test's endpoint."""

    def __init__(self, **settings: Any) -> None:
        self.endpoint, self.outage = Endpoint(), Outage()
        settings = {"background_delay_seconds": 600, **settings}
        self.delivery = GroupDelivery(
            self.endpoint.spans, self.endpoint.records, self.outage, **settings
        )
        tracers, loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider()
        tracers.add_span_processor(SpanCollector(self.delivery))
        loggers.add_log_record_processor(RecordCollector(self.delivery))
        self.tracer, self.logger = tracers.get_tracer("test"), loggers.get_logger("test")

    def serve(self, name: str, work: Callable[[], object] = lambda: None) -> None:
        """Serve one request that records a span and a log record of that name."""
        with self.delivery.request(), self.tracer.start_as_current_span(name):
            work()
            self.logger.emit(body=name)


def test_one_request_is_one_export_of_each_signal_at_the_same_time() -> None:
    """The request waits for both, which run concurrently."""
    app = App()
    app.endpoint.gate.clear()
    with ThreadPoolExecutor() as pool:
        served = pool.submit(app.serve, "quote")
        eventually(lambda: app.endpoint.at_once == 2, "spans and records are sent at once")
        assert not served.done()
        app.endpoint.gate.set()
        served.result(SECONDS)
    assert (app.endpoint.span_exports, app.endpoint.record_exports) == ([["quote"]], [["quote"]])


def test_a_lone_request_does_not_wait_for_others_to_join() -> None:
    """The delay is useful only while other requests are running."""
    app = App(group_delay_seconds=SECONDS)
    began = time.monotonic()
    app.serve("quote")
    assert time.monotonic() - began < SECONDS / 2


def test_requests_that_end_within_the_delay_share_one_export() -> None:
    """The first to end waits for the others, at most until all have ended."""
    app = App(group_delay_seconds=SECONDS)
    together = threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        futures = [pool.submit(app.serve, str(n), together.wait) for n in range(8)]
        for future in futures:
            future.result(SECONDS)
    assert time.monotonic() - began < SECONDS / 2
    assert [len(batch) for batch in app.endpoint.span_exports] == [8]
    assert [len(batch) for batch in app.endpoint.record_exports] == [8]


def test_an_export_starts_after_the_delay_while_requests_still_run() -> None:
    """It exports what has been recorded so far."""
    app = App(group_delay_seconds=0.002)
    release = threading.Event()
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(app.serve, "slow", lambda: release.wait(SECONDS))
        eventually(lambda: app.delivery._running == 1, "the slow request runs")
        app.serve("quick")
        assert app.endpoint.span_exports == [["quick"]]
        assert not slow.done()
        release.set()
        slow.result(SECONDS)
    assert app.endpoint.names() == ["quick", "slow"]


def test_no_request_waits_for_the_export_of_another() -> None:
    """A second export starts while the first one blocks."""
    app = App()
    app.endpoint.gate.clear()
    with ThreadPoolExecutor() as pool:
        futures = []
        sent = app.endpoint.span_exports
        for n in range(5):
            futures.append(pool.submit(app.serve, str(n)))
            eventually(lambda: len(sent) == len(futures), "it is sent")
        assert app.endpoint.at_once_max == 10
        app.endpoint.gate.set()
        for future in futures:
            future.result(SECONDS)


@pytest.mark.parametrize("in_thread", [False, True], ids=["its own", "a library's thread's"])
def test_a_request_waits_for_another_requests_export_with_its_span(in_thread: bool) -> None:
    """That holds even if the request has nothing else to send."""
    app = App(group_delay_seconds=0.0)
    app.endpoint.gate.clear()
    recorded, other_sent = threading.Event(), threading.Event()

    def record() -> None:
        app.tracer.start_span("inner").end()

    def request() -> None:
        with app.delivery.request():
            if in_thread:
                thread = threading.Thread(target=record)
                thread.start()
                thread.join()
            else:
                record()
            recorded.set()
            assert other_sent.wait(SECONDS)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(request)
        assert recorded.wait(SECONDS)
        other = pool.submit(app.serve, "other")
        eventually(lambda: len(app.endpoint.span_exports) == 1, "the other's export is on its way")
        assert sorted(app.endpoint.span_exports[0]) == ["inner", "other"]
        other_sent.set()
        eventually(lambda: app.delivery._flushing == 2 or first.done(), "the first has ended")
        assert not first.done()
        app.endpoint.gate.set()
        first.result(SECONDS)
        other.result(SECONDS)
    assert len(app.endpoint.span_exports) == 1


def test_spans_of_a_librarys_thread_are_exported_before_the_answer() -> None:
    """Their request is unknown, so every request that ends waits for them."""
    app = App()

    def work() -> None:
        thread = threading.Thread(target=lambda: app.tracer.start_span("thread").end())
        thread.start()
        thread.join()

    app.serve("request", work)
    assert app.endpoint.names() == ["request", "thread"]


def test_a_functions_exception_is_raised_after_delivery() -> None:
    """The request no longer counts as running afterwards."""
    app = App()

    def fail() -> None:
        raise LookupError

    with suppress(LookupError):
        app.serve("fails", fail)
        pytest.fail("it was raised")
    assert app.endpoint.names() == ["fails"]
    assert app.delivery._running == 0


def test_items_without_a_waiting_request_are_exported_in_the_background() -> None:
    """Examples are the spans of a request that the platform aborted."""
    app = App(background_delay_seconds=0.05)
    app.tracer.start_span("left behind").end()
    eventually(lambda: app.endpoint.names() == ["left behind"], "the background thread sends it")


def test_no_request_waits_if_the_cpu_stays_allocated() -> None:
    """A background thread delivers, and shutdown delivers the rest."""
    app = App(in_background=True)
    app.endpoint.gate.clear()
    for n in range(3):
        app.serve(str(n))
    assert app.endpoint.span_exports == []
    app.endpoint.gate.set()
    app.delivery.shutdown()
    assert app.endpoint.names() == ["0", "1", "2"]


def test_shutdown_waits_for_running_exports_and_accepts_no_more() -> None:
    """Later items are counted as dropped."""
    app = App()
    app.endpoint.gate.clear()
    with ThreadPoolExecutor() as pool:
        served = pool.submit(app.serve, "served")
        eventually(lambda: len(app.endpoint.span_exports) == 1, "it is on its way")
        ending = pool.submit(app.delivery.shutdown)
        assert not ending.done()
        app.endpoint.gate.set()
        ending.result(SECONDS)
        served.result(SECONDS)
    app.tracer.start_span("late").end()
    assert app.outage.dropped == 1


def test_a_full_queue_drops_and_counts_items(caplog: pytest.LogCaptureFixture) -> None:
    """Excess items are counted and logged once, with the next export."""
    app = App(in_background=True)
    app.delivery._thread = threading.current_thread()  # No background thread in this test.
    for _ in range(KEPT_MAX_ITEMS + 5):
        app.tracer.start_span("many").end()
    assert app.outage.dropped == 5
    app.delivery.flush()
    app.tracer.start_span("more").end()
    app.delivery.flush()
    assert len(app.endpoint.names()) == KEPT_MAX_ITEMS + 1
    assert [record.getMessage() for record in caplog.records] == [
        "5 items of telemetry were dropped: more came than could be sent"
    ]


def test_a_signal_that_is_turned_off_is_not_collected() -> None:
    """No request waits for it."""
    endpoint = Endpoint()
    delivery = GroupDelivery(endpoint.spans, None, Outage())
    loggers = LoggerProvider()
    loggers.add_log_record_processor(RecordCollector(delivery))
    with delivery.request():
        loggers.get_logger("test").emit(body="line")
    assert len(delivery._open) == 0


def test_an_unsampled_span_is_not_sent() -> None:
    """It only propagates its context."""
    app = App()
    unsampled = trace.NonRecordingSpan(trace.SpanContext(1, 2, False))
    with app.delivery.request(), trace.use_span(unsampled):
        pass
    assert app.endpoint.span_exports == []


def test_500_requests_from_eight_threads_lose_nothing() -> None:
    """Each request's span is accepted before the request returns."""
    app = App()

    def serve(n: int) -> bool:
        app.serve(str(n))
        return any(str(n) in batch for batch in list(app.endpoint.span_exports))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(serve, range(500)))
    assert sorted(app.endpoint.names()) == sorted(map(str, range(500)))
    assert sum(map(len, app.endpoint.record_exports)) == 500
