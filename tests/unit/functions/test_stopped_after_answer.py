"""A function whose CPU is taken away as soon as it has answered has delivered its telemetry."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.framework import ROOT, Framework, framework
from tests.unit.local_server import LocalServer, serving
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
def endpoint() -> Iterator[LocalServer]:
    """The OTLP endpoint."""
    with serving() as local:
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
