"""How a condition ends an instance, on the framework that serves one."""

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
from tests.unit.cloud.platform_conditions.conftest import Switches
from tests.unit.framework import Framework, framework
from tests.unit.local_server import Asked, eventually, serving

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
    """Serve a function that answers with its process's id, as the emulator does, with flags on."""
    (folder / "main.py").write_text(MAIN.replace("FUNCTION", function))
    documents = [
        {"name": f"documents/flags/{name}", "fields": {"on": {"booleanValue": True}}} for name in on
    ]

    def flags(_asked: Asked) -> tuple[int, bytes, dict[str, str]]:
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


def asked(served: Framework, **query: str) -> int:
    """The id of the process that answered."""
    answer = httpx.post(served.url, params=query, trust_env=False, timeout=20)
    return int(answer.raise_for_status().text)


def is_gone(process_id: int) -> bool:
    """Whether there is no such process any more."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return False


def test_an_instance_that_is_taken_away_answers_and_the_next_is_new(tmp_path: Path) -> None:
    """After each second answer, and no request is lost between the two; a probe counts for none."""
    with served("quote", tmp_path, "instances-come-and-go") as quote:
        answered = []
        for _ in range(6):
            httpx.get(quote.url, trust_env=False, timeout=20).raise_for_status()
            answered.append(asked(quote))
    assert answered[0::2] == answered[1::2]
    assert len(set(answered)) == 3


def test_what_comes_after_the_answer_is_lost_where_an_instance_has_no_cpu(tmp_path: Path) -> None:
    """And is done where the condition is off, which is why it works on one's own machine."""
    with served("settle", tmp_path) as settle:
        asked(settle, later=str(tmp_path / "done"))
        eventually((tmp_path / "done").exists, "what was put off is done")
    with served("settle", tmp_path, "cpu-only-during-requests") as settle:
        ended = asked(settle, later=str(tmp_path / "lost"))
        eventually(lambda: is_gone(ended), "the instance ends")
        assert not (tmp_path / "lost").exists()
        assert asked(settle) != ended


@pytest.mark.parametrize("condition", ["instances-come-and-go", "cpu-only-during-requests"])
def test_no_other_function_meets_it(tmp_path: Path, condition: str) -> None:
    """Nor does one whose flag is another's."""
    with served("availability", tmp_path, condition) as availability:
        assert len({asked(availability) for _ in range(4)}) == 1


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How this process would have been ended."""
    calls: list[str] = []
    monkeypatch.setattr(os, "kill", lambda *_: calls.append("SIGTERM"))
    return calls


def serve(flags: Flags) -> Callable[..., Any]:
    """A client's POST to a function whose invocation is a span."""
    app = flask.Flask("worker")

    @app.route("/", methods=["GET", "POST"])
    def quote() -> str:
        tracer = trace.get_tracer("test")
        with tracer.start_as_current_span("quote", attributes={"faas.name": "quote"}):
            tracer.start_span("query").end()
        return "OK"

    instances.inject(app, INSTANCES_COME_AND_GO, flags)
    return app.test_client().post


def test_the_invocation_that_meets_it_says_so(
    flags: Flags, switches: Switches, spans: InMemorySpanExporter, ended: list[str]
) -> None:
    """On its own span, and on no other; with the flag off on none."""
    post = serve(flags)
    post("/")
    switches.on = {INSTANCES_COME_AND_GO.name}
    post("/")
    events = [(span.name, len(span.events)) for span in spans.get_finished_spans()]
    assert events == [("query", 0), ("quote", 0), ("query", 0), ("quote", 1)]
