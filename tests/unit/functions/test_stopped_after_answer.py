"""A function that is stopped or killed as soon as it has answered has delivered its telemetry."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.framework import ROOT, Framework, framework
from tests.unit.local_server import LocalServer, eventually, serving
from tests.unit.otlp import records_in, spans_in

FOLDER = ROOT / "functions" / "throughline"
FUNCTIONS_FRAMEWORK = ROOT / "functions" / "venv" / "bin" / "functions-framework"
CALLERS = 4
SECONDS = 30.0
MAIN = """
import logging
import throughline
throughline.start()
from firebase_functions import https_fn
from opentelemetry import trace


@https_fn.on_request()
@throughline.on_request
def work(request):
    with trace.get_tracer("app").start_as_current_span("inner"):
        logging.info("working")
    return "done"
"""
# What each request records.
SPANS, RECORDS = Counter({"work": 1, "inner": 1}), Counter({"working": 1})


@pytest.fixture
def status() -> list[int]:
    """The status with which the endpoint answers, as the only item; a test may change it."""
    return [200]


@pytest.fixture
def endpoint(status: list[int]) -> Iterator[LocalServer]:
    """The OTLP endpoint."""
    with serving(lambda _: status[0]) as local:
        yield local


@pytest.fixture
def function(tmp_path: Path, endpoint: LocalServer) -> Iterator[Framework]:
    """The function `work`, as Cloud Run serves it: one worker with eight threads."""
    shutil.copytree(FOLDER, tmp_path / "functions" / "throughline")
    (tmp_path / "functions" / "main.py").write_text(MAIN)
    environment = {
        "FUNCTION_TARGET": "work",
        "FUNCTION_SIGNATURE_TYPE": "http",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint.url,
        "OTEL_EXPORTER_OTLP_TIMEOUT": str(SECONDS),
        "THREADS": "8",
    }
    log = tmp_path / "work.log"
    source = tmp_path / "functions"
    with framework(FUNCTIONS_FRAMEWORK, source, environment, log, "/__/health") as running:
        yield running


class Received:
    """The names of the spans and the bodies of the log records that arrived, by trace id."""

    def __init__(self, endpoint: LocalServer) -> None:
        self._endpoint = endpoint
        self.spans: dict[str, Counter[str]] = {}
        self.records: dict[str, Counter[str]] = {}

    def read(self) -> None:
        """Decode the requests that arrived since the last call."""
        requests, self._endpoint.requests[:] = list(self._endpoint.requests), []
        newer = LocalServer.__new__(LocalServer)
        newer.requests = requests
        for span, _ in spans_in(newer):
            self.spans.setdefault(span.trace_id.hex(), Counter())[span.name] += 1
        for record, _ in records_in(newer):
            body = record.body.string_value
            self.records.setdefault(record.trace_id.hex(), Counter())[body] += 1

    def is_complete(self, trace_id: str) -> bool:
        """Return whether all that a request recorded has arrived, once."""
        return self.spans.get(trace_id) == SPANS and self.records.get(trace_id) == RECORDS


@pytest.mark.parametrize("requests", [20, pytest.param(1000, marks=pytest.mark.long)])
def test_nothing_is_missing_if_the_process_stops_right_after_an_answer(
    requests: int, function: Framework, endpoint: LocalServer
) -> None:
    """Of four concurrent requests the first answer stops the server and its worker, then the last.

    A stopped process delivers nothing more, so what has not arrived by then would be missing.
    """
    received, incomplete = Received(endpoint), list[str]()

    def check(answered: list[str]) -> None:
        os.killpg(function.process.pid, signal.SIGSTOP)
        received.read()
        incomplete.extend(each for each in answered if not received.is_complete(each))
        os.killpg(function.process.pid, signal.SIGCONT)

    for first in range(0, requests, CALLERS):
        trace_ids = [f"{first + n + 1:032x}" for n in range(CALLERS)]
        is_first = threading.Lock()

        def call(trace_id: str, is_first: threading.Lock = is_first) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", function.port, timeout=SECONDS)
            connection.request("GET", "/", headers={"traceparent": f"00-{trace_id}-{1:016x}-01"})
            assert connection.getresponse().read() == b"done"
            if is_first.acquire(blocking=False):
                check([trace_id])
            connection.close()

        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(call, trace_ids))
        check(trace_ids)
    assert (incomplete, len(received.spans)) == ([], requests)


def worker_of(function: Framework) -> int:
    """Return the process id of the server's only worker."""
    listed = subprocess.run(
        ["pgrep", "-P", str(function.process.pid)], capture_output=True, text=True, check=False
    )
    (worker,) = map(int, listed.stdout.split())
    return worker


def answered_by(function: Framework, numbers: range) -> list[str]:
    """Call the function once for each number; return the trace ids."""
    trace_ids = [f"{number:032x}" for number in numbers]
    for trace_id in trace_ids:
        headers = {"traceparent": f"00-{trace_id}-{1:016x}-01"}
        connection = http.client.HTTPConnection("127.0.0.1", function.port, timeout=SECONDS)
        connection.request("GET", "/", headers=headers)
        assert connection.getresponse().read() == b"done"
        connection.close()
    return trace_ids


def kill_worker(function: Framework) -> None:
    """Kill the worker, and wait until the server has started another."""
    killed = worker_of(function)
    os.kill(killed, signal.SIGKILL)

    def is_replaced() -> bool:
        with contextlib.suppress(ValueError):  # No worker at the moment, or two.
            return worker_of(function) != killed
        return False

    eventually(is_replaced, "another worker runs")


def test_a_killed_worker_loses_nothing_that_it_answered(
    function: Framework, endpoint: LocalServer
) -> None:
    """Nor does the next worker."""
    answered = answered_by(function, range(1, 6))
    kill_worker(function)
    answered += answered_by(function, range(6, 11))
    received = Received(endpoint)
    received.read()
    assert [trace_id for trace_id in answered if not received.is_complete(trace_id)] == []


def test_a_worker_killed_in_an_outage_loses_only_what_it_buffered(
    function: Framework, endpoint: LocalServer, status: list[int]
) -> None:
    """That is the one loss which docs/guide/plan-for-trouble.md admits: there is no spool."""
    before = answered_by(function, range(1, 6))
    received = Received(endpoint)
    received.read()
    status[0] = 503
    buffered = answered_by(function, range(6, 11))
    endpoint.requests.clear()
    kill_worker(function)
    status[0] = 200
    after = answered_by(function, range(11, 16))
    received.read()
    assert all(map(received.is_complete, [*before, *after]))
    assert not any(map(received.is_complete, buffered))
