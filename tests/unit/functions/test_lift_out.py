"""The folder `throughline`, copied alone into somebody else's functions, as its README says."""

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

# Its ways to end, told apart by the document that it is called about.
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
    """The README's main.py."""
    blocks: list[str] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (found,) = (block for block in blocks if "throughline.start()" in block)
    return found


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """Where the traces go."""
    with serving() as local:
        yield local


@pytest.fixture
def serve(tmp_path: Path, server: LocalServer) -> Serve:
    """Serves one function of a project that is `main` and the copied folder, and nothing else."""

    def project(main: str, target: str, **env: str) -> AbstractContextManager[Framework]:
        bare = tmp_path / "functions"
        shutil.copytree(FOLDER, bare / "throughline")
        (bare / "main.py").write_text(main)
        environment = {
            "FUNCTION_TARGET": target,
            "FUNCTION_SIGNATURE_TYPE": "cloudevent",
            "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
            # The SDK makes a Firestore client for a trigger; nobody asks it anything.
            "GCLOUD_PROJECT": "demo-throughline",
            "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9",
            **env,
        }
        return framework(FUNCTIONS_FRAMEWORK, bare, environment, tmp_path / "log", "/__/health")

    return project


def post(running: Framework, event: CloudEvent, timeout_seconds: float = 30) -> httpx.Response:
    """Deliver an event as Eventarc does."""
    headers, body = to_binary(event)
    return httpx.post(
        running.url, headers=headers, content=body, trust_env=False, timeout=timeout_seconds
    )


def created(**fields: str) -> CloudEvent:
    """A document's event, with our context in the document."""
    texts = {name: {"stringValue": text} for name, text in fields.items()}
    return document_event("created", {**texts, "_trace": text_map(traceparent=TRACEPARENT)})


def is_ours(span: Span) -> bool:
    """Whether a span is the child that the carrier asked for."""
    return (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE_ID, SPAN_ID)


def line_of(span: Span) -> int:
    """The line of main.py that began a span."""
    assert attributes(span)["code.file.path"] == "functions/main.py"
    (line,) = (each.value for each in span.attributes if each.key == "code.line.number")
    return int(line.int_value)


def test_the_readmes_trigger_is_traced_by_the_readmes_lines(
    serve: Serve, server: LocalServer
) -> None:
    """A posted event ends in a span under the document's writer, with its log line, delivered."""
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


def test_four_lines_are_all_that_the_readme_adds() -> None:
    """Without them its functions are the same, untraced."""
    lines = main_py().splitlines()
    untraced = [line for line in lines if "throughline" not in line]
    assert len(lines) - len(untraced) == 4
    compile("\n".join(untraced), "main.py", "exec")


@pytest.mark.parametrize(("how", "status"), [("early", 200), ("raise", 500)])
def test_however_a_function_ends_its_spans_are_there_before_the_answer(
    serve: Serve, server: LocalServer, how: str, status: int
) -> None:
    """And the exception is the platform's to see."""
    with serve(ENDINGS, "end") as running:
        assert post(running, created(how=how)).status_code == status
        found = {span.name: span for span, _ in spans_in(server)}
    assert set(found) == {"inner", "end"}
    assert is_ours(found["end"])
    assert found["inner"].parent_span_id == found["end"].span_id
    assert '"inner"' in ENDINGS.splitlines()[line_of(found["inner"]) - 1]
    assert (found["end"].status.code == Status.STATUS_CODE_ERROR) == (how == "raise")


def test_a_function_cut_off_by_its_timeout_delivers_its_own_span_too(
    serve: Serve, server: LocalServer
) -> None:
    """Functions Framework raises in the function's thread; the span says by what it ended."""
    timeout = {"CLOUD_RUN_TIMEOUT_SECONDS": "1", "THREADED_TIMEOUT_ENABLED": "true"}
    with serve(ENDINGS, "end", **timeout) as running:
        assert post(running, created(how="never")).status_code == 500
        found = {span.name: span for span, _ in spans_in(server)}
    assert set(found) == {"inner", "end"}
    assert attributes(found["end"].events[0])["exception.type"].endswith("TimeoutException")


def test_a_function_that_is_killed_has_delivered_what_had_ended(
    serve: Serve, server: LocalServer
) -> None:
    """From the background, while it was still running."""
    with serve(ENDINGS, "end", OTEL_BSP_SCHEDULE_DELAY="100") as running:
        with pytest.raises(httpx.ReadTimeout):
            post(running, created(how="never"), timeout_seconds=2)
        eventually(lambda: bool([*spans_in(server)]), "the ended span arrives")
        running.stop(signal.SIGKILL)
    assert [span.name for span, _ in spans_in(server)] == ["inner"]


def test_the_readme_lists_the_public_names_and_no_others() -> None:
    """Its table, its code and `__all__` are in step."""
    table = set(re.findall(r"^\| `(\w+)", README, re.MULTILINE)) - {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
    }
    assert table == set(throughline.__all__)
    assert set(re.findall(r"throughline\.(\w+)\(", README)) <= table


def test_the_readme_names_the_packages_that_the_folder_needs() -> None:
    """In the versions that it is tested with."""
    wanted = set(re.findall(r"^opentelemetry\S+==\S+$", README, re.MULTILINE))
    ours = (ROOT / "functions" / "requirements.in").read_text().split()
    assert wanted == {line for line in ours if line.startswith("opentelemetry")}


def test_the_folder_is_typed() -> None:
    """PEP 561: whoever copies it has its types checked."""
    assert (FOLDER / "py.typed").is_file()
