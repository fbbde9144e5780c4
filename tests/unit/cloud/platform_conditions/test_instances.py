"""Tests of the conditions that end an instance, with the real functions-framework."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask
import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cloud.platform_conditions import instances
from cloud.platform_conditions.catalogue import INSTANCES_COME_AND_GO
from cloud.platform_conditions.flags import Flags
from tests.unit.cloud.platform_conditions.conftest import FakeFlags
from tests.unit.framework import Framework, framework
from tests.unit.local_server import ReceivedRequest, eventually, serving

FUNCTIONS = Path(__file__).resolve().parents[4] / "functions"

MAIN = """
import os
from pathlib import Path
import flask, functions_framework

@functions_framework.http
def FUNCTION(request):
    if later := request.args.get("later"):
        @flask.after_this_request
        def put_off(response):
            response.call_on_close(lambda: Path(later).touch())
            return response
    return str(os.getpid())
"""


@contextmanager
def served(function: str, folder: Path, *on: str) -> Iterator[Framework]:
    """Serve a function that responds with its process id, with the flags `on` turned on."""
    (folder / "main.py").write_text(MAIN.replace("FUNCTION", function))
    documents = [
        {"name": f"documents/flags/{name}", "fields": {"on": {"booleanValue": True}}} for name in on
    ]

    def flags(_request: ReceivedRequest) -> tuple[int, bytes, dict[str, str]]:
        return 200, json.dumps({"documents": documents}).encode(), {}

    with serving(flags) as emulator:
        environment = {
            "FUNCTIONS_EMULATOR": "true",
            "FUNCTION_TARGET": function,
            "FIRESTORE_EMULATOR_HOST": emulator.url.removeprefix("http://"),
            "GCLOUD_PROJECT": "demo-throughline",
        }
        command = FUNCTIONS / "venv" / "bin" / "functions-framework"
        with framework(command, folder, environment, folder / "log", "/") as running:
            yield running


def serving_process(served: Framework, **query: str) -> int:
    """Send a request, and return the id of the process that responded."""
    response = httpx.post(served.url, params=query, trust_env=False, timeout=20)
    return int(response.raise_for_status().text)


def is_gone(process_id: int) -> bool:
    """Return whether the process has ended."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return False


def test_an_instance_ends_after_two_responses_and_no_request_is_lost(tmp_path: Path) -> None:
    """Probes don't count as requests."""
    with served("quote", tmp_path, "instances-come-and-go") as quote:
        process_ids = []
        for _ in range(6):
            httpx.get(quote.url, trust_env=False, timeout=20).raise_for_status()
            process_ids.append(serving_process(quote))
    assert process_ids[0::2] == process_ids[1::2]
    assert len(set(process_ids)) == 3


def test_work_after_the_response_is_lost_without_a_cpu(tmp_path: Path) -> None:
    """While the condition is off the work is done."""
    with served("settle", tmp_path) as settle:
        serving_process(settle, later=str(tmp_path / "done"))
        eventually((tmp_path / "done").exists, "the deferred work is done")
    with served("settle", tmp_path, "cpu-only-during-requests") as settle:
        ended = serving_process(settle, later=str(tmp_path / "lost"))
        eventually(lambda: is_gone(ended), "the instance ends")
        assert not (tmp_path / "lost").exists()
        assert serving_process(settle) != ended


@pytest.mark.parametrize("condition", ["instances-come-and-go", "cpu-only-during-requests"])
def test_other_functions_are_not_affected(tmp_path: Path, condition: str) -> None:
    with served("availability", tmp_path, condition) as availability:
        assert len({serving_process(availability) for _ in range(4)}) == 1


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The signals sent with os.kill, which does nothing else."""
    calls: list[str] = []
    monkeypatch.setattr(os, "kill", lambda *_: calls.append("SIGTERM"))
    return calls


def serve(flags: Flags) -> Callable[..., Any]:
    """Return a function that sends a POST to a traced function."""
    app = flask.Flask("worker")

    @app.route("/", methods=["GET", "POST"])
    def quote() -> str:
        tracer = trace.get_tracer("test")
        with tracer.start_as_current_span("quote", attributes={"faas.name": "quote"}):
            tracer.start_span("query").end()
        return "OK"

    instances.inject(app, INSTANCES_COME_AND_GO, flags)
    return app.test_client().post


def test_the_condition_is_recorded_only_on_the_invocations_span(
    flags: Flags, fake_flags: FakeFlags, spans: InMemorySpanExporter, signals: list[str]
) -> None:
    """While the flag is off, it is recorded on no span."""
    post = serve(flags)
    post("/")
    fake_flags.on = {INSTANCES_COME_AND_GO.name}
    post("/")
    events = [(span.name, len(span.events)) for span in spans.get_finished_spans()]
    assert events == [("query", 0), ("quote", 0), ("query", 0), ("quote", 1)]
