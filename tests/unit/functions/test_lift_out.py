"""The folder `throughline`, copied alone into another project as its README describes."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

import throughline
from tests.unit.framework import ROOT, Framework, framework
from tests.unit.functions.cloud_events import document_event, message_event, text_map
from tests.unit.functions.traceparents import SPAN_ID, TRACE_ID, TRACEPARENT
from tests.unit.local_server import LocalServer, eventually, serving
from tests.unit.otlp import attributes, records_in, spans_in

FOLDER = ROOT / "functions" / "throughline"
README = (FOLDER / "README.md").read_text()
FUNCTIONS_FRAMEWORK = ROOT / "functions" / "venv" / "bin" / "functions-framework"

Serve = Callable[..., AbstractContextManager[Framework]]

# The document's id selects how the function ends.
ENDINGS = """
import time

import throughline
throughline.start()

from firebase_functions import firestore_fn
from opentelemetry import trace


@firestore_fn.on_document_created(document="orders/{order_id}")
@throughline.on_document
def end(event):
    with trace.get_tracer("app").start_as_current_span("inner"):
        pass
    how = event.data.to_dict()["how"]
    if how == "early":
        return
    if how == "raise":
        raise LookupError("no such show")
    while True:
        time.sleep(0.02)
"""


def main_py() -> str:
    """Return the README's main.py."""
    blocks: list[str] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (program,) = (block for block in blocks if "throughline.start()" in block)
    return program


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """The OTLP endpoint."""
    with serving() as local:
        yield local


@pytest.fixture
def serve(tmp_path: Path, server: LocalServer) -> Serve:
    """Serves a function of a project that consists of a main.py and the copied folder."""

    def project(main: str, target: str, **env: str) -> AbstractContextManager[Framework]:
        bare = tmp_path / "functions"
        shutil.copytree(FOLDER, bare / "throughline")
        (bare / "main.py").write_text(main)
        environment = {
            "FUNCTION_TARGET": target,
            "FUNCTION_SIGNATURE_TYPE": "cloudevent",
            "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
            # The SDK creates a Firestore client for a trigger, which is never used.
            "GCLOUD_PROJECT": "demo-throughline",
            "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9",
            **env,
        }
        return framework(FUNCTIONS_FRAMEWORK, bare, environment, tmp_path / "log", "/__/health")

    return project


def post(running: Framework, event: CloudEvent, timeout_seconds: float = 30) -> httpx.Response:
    """POST an event as Eventarc does."""
    headers, body = to_binary(event)
    return httpx.post(
        running.url, headers=headers, content=body, trust_env=False, timeout=timeout_seconds
    )


def created(**fields: str) -> CloudEvent:
    """Return an event of a created document with trace context."""
    texts = {name: {"stringValue": text} for name, text in fields.items()}
    return document_event("created", {**texts, "_trace": text_map(traceparent=TRACEPARENT)})


def is_ours(span: Span) -> bool:
    """Return whether the carrier's span is the span's parent."""
    return (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE_ID, SPAN_ID)


def line_of(span: Span) -> int:
    """Return the line number of main.py that started a span."""
    assert attributes(span)["code.file.path"] == "functions/main.py"
    (line,) = (each.value for each in span.attributes if each.key == "code.line.number")
    return int(line.int_value)


def test_the_readmes_trigger_is_traced_by_the_readmes_lines(
    serve: Serve, server: LocalServer
) -> None:
    """The span is a child of the document's writer, and its log line arrives too."""
    with serve(main_py(), "greet") as running:
        assert post(running, created()).status_code == 200
        ((span, resource),) = spans_in(server)
        ((record, _),) = records_in(server)
    assert (span.name, resource["service.name"]) == ("greet", "greet")
    assert is_ours(span)
    assert attributes(span)["throughline.context"] == "carried"
    assert attributes(span)["code.file.path"] == "functions/main.py"
    assert record.body.string_value == "Order AbCdEfGhIjKlMnOpQrSt has arrived"
    assert record.span_id == span.span_id


def test_the_readmes_message_is_traced_by_the_readmes_lines(
    serve: Serve, server: LocalServer
) -> None:
    """The context is among the message's attributes."""
    message = message_event(
        data="eyJvcmRlcl9pZCI6ICJBYjEifQ==", attributes={"traceparent": TRACEPARENT}
    )
    with serve(main_py(), "remind") as running:
        assert post(running, message).status_code == 200
        ((span, _),) = spans_in(server)
        ((record, _),) = records_in(server)
    assert span.name == "remind"
    assert is_ours(span)
    assert record.body.string_value == "Order Ab1 was greeted"


def test_the_readme_adds_only_four_lines() -> None:
    """Without those lines the functions are unchanged and untraced."""
    lines = main_py().splitlines()
    untraced = [line for line in lines if "throughline" not in line]
    assert len(lines) - len(untraced) == 4
    compile("\n".join(untraced), "main.py", "exec")


@pytest.mark.parametrize(("how", "status"), [("early", 200), ("raise", 500)])
def test_spans_are_exported_before_the_answer_however_the_function_ends(
    serve: Serve, server: LocalServer, how: str, status: int
) -> None:
    """The platform still sees the exception."""
    with serve(ENDINGS, "end") as running:
        assert post(running, created(how=how)).status_code == status
        ended = {span.name: span for span, _ in spans_in(server)}
    assert set(ended) == {"inner", "end"}
    assert is_ours(ended["end"])
    assert ended["inner"].parent_span_id == ended["end"].span_id
    assert '"inner"' in ENDINGS.splitlines()[line_of(ended["inner"]) - 1]
    assert (ended["end"].status.code == Status.STATUS_CODE_ERROR) == (how == "raise")


def test_a_function_aborted_by_its_timeout_exports_its_own_span_too(
    serve: Serve, server: LocalServer
) -> None:
    """Functions Framework raises in the function's thread; the span has that exception."""
    timeout = {"CLOUD_RUN_TIMEOUT_SECONDS": "1", "THREADED_TIMEOUT_ENABLED": "true"}
    with serve(ENDINGS, "end", **timeout) as running:
        assert post(running, created(how="never")).status_code == 500
        ended = {span.name: span for span, _ in spans_in(server)}
    assert set(ended) == {"inner", "end"}
    assert attributes(ended["end"].events[0])["exception.type"].endswith("TimeoutException")


def test_a_killed_function_has_exported_the_spans_that_had_ended(
    serve: Serve, server: LocalServer
) -> None:
    """The background thread exported them while the function was still running."""
    with serve(ENDINGS, "end", OTEL_BSP_SCHEDULE_DELAY="100") as running:
        with pytest.raises(httpx.ReadTimeout):
            post(running, created(how="never"), timeout_seconds=2)
        eventually(lambda: bool([*spans_in(server)]), "the ended span arrives")
        running.stop(signal.SIGKILL)
    assert [span.name for span, _ in spans_in(server)] == ["inner"]


def test_the_readme_lists_the_public_names_and_no_others() -> None:
    """Its table, its code and `__all__` agree."""
    table = set(re.findall(r"^\| `(\w+)", README, re.MULTILINE)) - {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
    }
    assert table == set(throughline.__all__)
    assert set(re.findall(r"throughline\.(\w+)\(", README)) <= table


def test_the_readme_names_the_packages_that_the_folder_needs() -> None:
    """The versions are those that the tests use."""
    required = set(re.findall(r"^opentelemetry\S+==\S+$", README, re.MULTILINE))
    ours = (ROOT / "functions" / "requirements.in").read_text().split()
    assert required == {line for line in ours if line.startswith("opentelemetry")}


def test_the_folder_is_marked_as_typed() -> None:
    """It has the marker of PEP 561, so type checkers use its annotations."""
    assert (FOLDER / "py.typed").is_file()
