"""The deployed function `telemetry`, served as Cloud Run serves it, before a real OTLP endpoint."""

from __future__ import annotations

import http.client
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks import relay as relay_benchmark
from tests.unit.framework import ROOT, Framework, framework
from tests.unit.functions import page_telemetry as page
from tests.unit.functions.app_check import new_key, serving_keys
from tests.unit.local_server import LocalServer, serving
from tests.unit.otlp import records_in, spans_in

FUNCTIONS = ROOT / "functions"
COMMAND = FUNCTIONS / "venv" / "bin" / "functions-framework"
SECONDS = 30.0
PATH = "/telemetry/v1/traces"


@contextmanager
def serve(folder: Path, endpoint: LocalServer, **environment: str) -> Iterator[Framework]:
    """Serve the function `telemetry` in an environment; its log is written to `folder`."""
    own = {
        "FUNCTION_TARGET": "telemetry",
        "FUNCTION_SIGNATURE_TYPE": "http",
        "GCLOUD_PROJECT": "demo-throughline",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint.url,
    }
    log = folder / "telemetry.log"
    with framework(COMMAND, FUNCTIONS, {**own, **environment}, log, "/__/health") as running:
        yield running


@pytest.fixture(scope="module")
def shared_endpoint() -> Iterator[LocalServer]:
    """The OTLP endpoint of the tests that share a server."""
    with serving() as local:
        yield local


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, shared_endpoint: LocalServer
) -> Iterator[Framework]:
    """The function, as the tests share it."""
    with serve(tmp_path_factory.mktemp("telemetry"), shared_endpoint) as running:
        yield running


@pytest.fixture
def endpoint(shared_endpoint: LocalServer) -> LocalServer:
    """The OTLP endpoint, without the requests of earlier tests."""
    shared_endpoint.requests.clear()
    return shared_endpoint


def post(running: Framework, body: Any, path: str = PATH, **headers: str) -> httpx.Response:
    """POST OTLP in JSON as the page does through Hosting."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(
        running.url + path,
        content=json.dumps(body),
        headers={"content-type": "application/json", **named},
        trust_env=False,
        timeout=SECONDS,
    )


def test_the_pages_telemetry_has_arrived_when_the_function_answers(
    running: Framework, endpoint: LocalServer
) -> None:
    """The process is stopped with the answer, as Cloud Run does, and sends nothing of its own."""
    spans = post(running, page.spans(page.span()))
    records = post(running, page.records(page.record()), "/telemetry/v1/logs")
    os.killpg(running.process.pid, signal.SIGSTOP)
    try:
        ((span, resource),) = spans_in(endpoint)
        ((record, _),) = records_in(endpoint)
    finally:
        os.killpg(running.process.pid, signal.SIGCONT)
    assert (spans.status_code, records.status_code) == (200, 200)
    assert (span.name, resource["service.name"]) == ("buy", "page")
    assert resource["gcp.project_id"] == "demo-throughline"
    assert record.body.string_value == "Order placed"


def test_after_a_refusal_the_connection_serves_the_next_request(
    running: Framework, endpoint: LocalServer
) -> None:
    """10 MB, a foreign resource and a wrong type are refused on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=SECONDS)
    for body, type_, status in (
        (b" " * 10_000_000, "application/json", 413),
        (json.dumps(page.spans(page.span(), resource={})).encode(), "application/json", 403),
        (b"{}", "text/html", 415),
        (json.dumps(page.spans(page.span())).encode(), "application/json", 200),
    ):
        connection.request("POST", PATH, body, {"Content-Type": type_})
        response = connection.getresponse()
        response.read()
        assert response.status == status
    connection.close()
    assert len(list(spans_in(endpoint))) == 1


def test_app_check_tokens_are_verified_with_the_published_keys(tmp_path: Path) -> None:
    """Only a token of this project, signed with a published key and still valid, is accepted.

    When the process ends, it logs how many requests it refused.
    """
    body = page.spans(page.span())
    with (
        serving() as endpoint,
        serving_keys(tmp_path) as app_check,
        serve(tmp_path, endpoint, **app_check.environment, ENFORCE_APP_CHECK="yes") as running,
    ):
        tokens = {
            app_check.token(): 200,
            app_check.token(new_key()): 401,
            app_check.token(exp=1): 401,
            app_check.token(aud=["projects/1234", "projects/other"]): 401,
            app_check.token(iss="https://example.org/1234"): 401,
            "not-a-token": 401,
        }
        assert post(running, body).status_code == 401
        for token, status in tokens.items():
            assert post(running, body, X_Firebase_AppCheck=token).status_code == status
        assert len(list(spans_in(endpoint))) == 1
        running.stop(signal.SIGTERM)
        lines = [json.loads(line) for line in running.log_lines() if line.startswith("{")]
    messages = [line["message"] for line in lines]
    (closing,) = (each for each in messages if each.startswith("The relay refused telemetry of pa"))
    assert "5 × The App Check token is not valid." in closing
    assert "1 × The header X-Firebase-AppCheck is missing." in closing


@pytest.mark.long
@pytest.mark.measures
def test_one_instance_sustains_a_hundred_requests_per_second() -> None:
    """The endpoint answers after 100 ms, and nothing is lost for 20 seconds."""
    figures = relay_benchmark.measure(2000)
    assert figures["failed"] == 0
    assert figures["requests_per_s"] > 95
    assert figures["p95_ms"] < 1000
