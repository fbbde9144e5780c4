"""Setting up telemetry, in separate processes, because a process can do it only once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.unit.framework import ROOT, Framework, framework
from tests.unit.local_server import free_port, serving, silent
from tests.unit.otlp import records_in, spans_in

FUNCTIONS = ROOT / "functions"
TIMEOUT_SECONDS = 2

STARTED = """
import flask, throughline
from opentelemetry import trace
{call}
print(type(trace.get_tracer_provider()).__module__)
"""
OUTSIDE = "throughline.start()"
IN_A_REQUEST = "\nwith flask.Flask('admin').test_request_context('/__/functions.yaml'): {call}"

LOGGED = """
import logging, throughline
from opentelemetry import trace
throughline.start()
log = logging.getLogger("boxoffice.test")
log.info("outside")
log.debug("too quiet")
with trace.get_tracer("test").start_as_current_span("work") as span:
    log.warning("inside %s", 7)
    context = span.get_span_context()
try:
    raise LookupError("gone")
except LookupError:
    log.exception("failed")
print(json.dumps([f"{context.trace_id:032x}", f"{context.span_id:016x}"]))
"""


def run(script: str, **env: str) -> list[str]:
    """Run a script in functions/ and return the lines that it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import json\n" + script],
        cwd=FUNCTIONS,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("env", "call", "is_set_up"),
    [
        ({"FUNCTION_TARGET": "settle"}, OUTSIDE, True),
        ({"FUNCTION_TARGET": "settle", "OTEL_SDK_DISABLED": "false"}, OUTSIDE, True),
        ({}, OUTSIDE, False),
        ({"FUNCTION_TARGET": ""}, OUTSIDE, False),
        ({"FUNCTION_TARGET": "settle"}, IN_A_REQUEST.format(call=OUTSIDE), False),
        ({"FUNCTION_TARGET": "settle", "OTEL_SDK_DISABLED": "true"}, OUTSIDE, False),
        ({"FUNCTION_TARGET": "settle", "OTEL_SDK_DISABLED": "TRUE"}, OUTSIDE, False),
    ],
    ids=["served", "not disabled", "no target", "empty target", "discovery", "disabled", "TRUE"],
)
def test_telemetry_is_set_up_only_if_a_function_is_served(
    env: dict[str, str], call: str, is_set_up: bool
) -> None:
    """It is not while the CLI discovers functions, nor if OpenTelemetry is disabled."""
    dead = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
    assert (run(STARTED.format(call=call), **env, **dead) == ["opentelemetry.sdk.trace"]) == (
        is_set_up
    )


def test_a_log_line_has_the_current_span() -> None:
    """Lines are JSON with Cloud Logging's fields; outside a span they have no ids."""
    with serving() as server:
        *lines, last = run(LOGGED, FUNCTION_TARGET="settle", OTEL_EXPORTER_OTLP_ENDPOINT=server.url)
    trace_id, span_id = json.loads(last)
    outside, inside, failed = map(json.loads, lines)
    assert outside == {"severity": "INFO", "message": "outside"}
    assert inside == {
        "severity": "WARNING",
        "message": "inside 7",
        "trace_id": trace_id,
        "span_id": span_id,
    }
    assert failed["severity"] == "ERROR"
    assert failed["message"].endswith("LookupError: gone"), "a traceback stays one line of JSON"


def test_log_lines_are_json_if_telemetry_is_disabled() -> None:
    """Cloud Logging still reads them."""
    lines = run(LOGGED, FUNCTION_TARGET="settle", OTEL_SDK_DISABLED="true")
    assert [json.loads(line)["message"] for line in lines[:2]] == ["outside", "inside 7"]
    assert "trace_id" not in lines[1]


Serve = Callable[..., AbstractContextManager[Framework]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Serves the real settle function as the platform does, exporting to a given address."""

    def settle(otlp: str, **env: str) -> AbstractContextManager[Framework]:
        environment = {
            "FUNCTION_TARGET": "settle",
            "FUNCTION_SIGNATURE_TYPE": "http",
            "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
            **env,
        }
        command = FUNCTIONS / "venv" / "bin" / "functions-framework"
        return framework(command, FUNCTIONS, environment, tmp_path / "log", "/__/health")

    return settle


def lines_in(running: Framework) -> list[dict[str, Any]]:
    """Return the JSON lines of a process's output."""
    return [json.loads(line) for line in running.log_lines() if line.startswith("{")]


def test_a_served_function_delivers_before_it_answers_and_ignores_probes(serve: Serve) -> None:
    """A probe makes no span and runs no function; a request's span arrives before its answer."""
    with serving() as server, serve(server.url) as running:
        for _ in range(3):
            probed = httpx.get(f"{running.url}/__/health", trust_env=False)
            assert (probed.status_code, probed.text) == (200, "ok")
        assert lines_in(running) == [], "the probe must not reach the function"
        answer = httpx.post(f"{running.url}/", trust_env=False, timeout=30)
        ((span, resource),) = spans_in(server)
        line = lines_in(running)[-1]
        (logged,) = (request for request in server.requests if request.path == "/v1/logs")
    assert answer.status_code == 401
    assert span.name == "settle"
    assert (resource["service.name"], resource["faas.name"]) == ("settle", "settle")
    assert resource["cloud.provider"] == "gcp"
    assert line["message"].startswith("A webhook was refused")
    assert (line["trace_id"], line["span_id"]) == (span.trace_id.hex(), span.span_id.hex())
    record = ExportLogsServiceRequest.FromString(logged.body).resource_logs[0].scope_logs[0]
    assert record.log_records[0].span_id == span.span_id


@pytest.mark.parametrize("requests", [50, pytest.param(1000, marks=pytest.mark.long)])
def test_nothing_is_missing_if_the_cpu_stops_after_the_answer(serve: Serve, requests: int) -> None:
    """The processes are stopped after each answer, as on Cloud Run, and nothing is missing."""
    with (
        serving() as server,
        serve(server.url) as running,
        httpx.Client(trust_env=False, timeout=30) as client,
    ):
        for number in range(1, requests + 1):
            answer = client.post(running.url)
            os.killpg(running.process.pid, signal.SIGSTOP)
            delivered = len([*spans_in(server)]), len([*records_in(server)])
            os.killpg(running.process.pid, signal.SIGCONT)
            assert answer.status_code == 401
            assert delivered == (1, 1), f"of request {number}"
            server.requests.clear()


def test_with_allocated_cpu_requests_do_not_wait_and_sigterm_drains(serve: Serve) -> None:
    """With instance-based billing answers do not wait for exports, and none is lost at the end."""
    settings = {"THROUGHLINE_CPU_STAYS_ALLOCATED": "true", "OTEL_BSP_SCHEDULE_DELAY": "600000"}
    with serving() as server, serve(server.url, **settings) as running:
        for _ in range(5):
            httpx.post(running.url, trust_env=False, timeout=30)
        assert server.requests == []
        running.stop(signal.SIGTERM)
        assert (len([*spans_in(server)]), len([*records_in(server)])) == (5, 5)


def test_an_invalid_group_delay_is_logged_and_not_used(serve: Serve) -> None:
    """The function still answers."""
    settings = {"THROUGHLINE_GROUP_DELAY_MILLIS": "2ms"}
    with serving() as server, serve(server.url, **settings) as running:
        assert httpx.post(running.url, trust_env=False, timeout=30).status_code == 401
        messages = [line["message"] for line in lines_in(running)]
    assert (
        "THROUGHLINE_GROUP_DELAY_MILLIS is '2ms', not a whole number of milliseconds; 2 is used"
        in messages
    )


def test_each_record_is_one_line_if_the_framework_logs_execution_ids(serve: Serve) -> None:
    """`firebase deploy` sets LOG_EXECUTION_ID, and the framework then adds a log handler."""
    with serving() as server, serve(server.url, LOG_EXECUTION_ID="true") as running:
        httpx.post(
            f"{running.url}/",
            headers={"Function-Execution-Id": "run-7"},
            trust_env=False,
            timeout=30,
        )
        ((span, _),) = spans_in(server)
        lines = [line for line in running.log_lines() if "A webhook was refused" in line]
    (line,) = map(json.loads, lines)
    assert line["severity"] == "WARNING"
    assert (line["trace_id"], line["span_id"]) == (span.trace_id.hex(), span.span_id.hex())
    assert line["logging.googleapis.com/labels"] == {"execution_id": "run-7"}


def test_only_a_get_of_the_probes_path_is_a_probe(serve: Serve) -> None:
    """A webhook posted to the probe's path is still a webhook."""
    with serving() as server, serve(server.url) as running:
        answer = httpx.post(f"{running.url}/__/health", trust_env=False, timeout=30)
    assert answer.status_code == 401


def test_a_function_with_disabled_telemetry_sends_nothing(serve: Serve) -> None:
    """It still works and answers probes."""
    with serving() as server, serve(server.url, OTEL_SDK_DISABLED="true") as running:
        answer = httpx.post(f"{running.url}/", trust_env=False, timeout=30)
        assert (answer.status_code, server.requests) == (401, [])
        assert "trace_id" not in lines_in(running)[-1]


@pytest.mark.measures
@pytest.mark.parametrize("endpoint", ["dead", "silent"])
def test_an_unreachable_endpoint_costs_one_wait_and_one_log_line(
    serve: Serve, endpoint: str
) -> None:
    """The first answer waits at most for the export's timeout, the others not at all."""
    with silent() as mute:
        away = mute if endpoint == "silent" else f"http://127.0.0.1:{free_port()}"
        with serve(away, OTEL_EXPORTER_OTLP_TIMEOUT=str(TIMEOUT_SECONDS)) as running:
            answers = [httpx.post(running.url, trust_env=False, timeout=30) for _ in range(10)]
            messages = [line["message"] for line in lines_in(running)]
    assert {answer.status_code for answer in answers} == {401}
    took = [answer.elapsed.total_seconds() for answer in answers]
    assert took[0] < 4 * TIMEOUT_SECONDS
    assert sum(took[1:]) < TIMEOUT_SECONDS, "nine answers are quicker than one timeout"
    assert sum("The OTLP endpoint does not answer" in message for message in messages) == 1
    assert sum("exporter" in message or "Failed to export" in message for message in messages) == 0
