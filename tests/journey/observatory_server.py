"""An Observatory of a test's own, with the built explorer, and a browser's page on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from stack.clients.firestore_rest import NO_CERTIFICATES
from tests.accessibility import violations
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import Trace

ROOT = Path(__file__).parents[2]
PROTOBUF = {"content-type": "application/x-protobuf"}
STOP_SECONDS = 15
TRACES_A_REQUEST = 100


class OwnObservatory:
    """A running Observatory; `url` has no slash at its end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=30, verify=NO_CERTIFICATES)

    def send(self, *traces: Trace) -> None:
        """Store the spans and log lines of traces; returns once they are acknowledged."""
        for first in range(0, len(traces), TRACES_A_REQUEST):
            some = traces[first : first + TRACES_A_REQUEST]
            spans, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
            for trace in some:
                spans.resource_spans.extend(trace.request().resource_spans)
                logs.resource_logs.extend(trace.logs_request().resource_logs)
            self.post("/v1/traces", spans.SerializeToString())
            if logs.resource_logs:
                self.post("/v1/logs", logs.SerializeToString())

    def post(self, path: str, body: bytes) -> None:
        """Post an OTLP request; fails unless it is acknowledged."""
        answer = self.http.post(path, content=body, headers=PROTOBUF)
        assert answer.status_code == 200, answer.text


def build_explorer(folder: Path) -> Path:
    """Build the explorer into a folder, and return that."""
    vite = ROOT / "node_modules" / ".bin" / "vite"
    subprocess.run(
        [vite, "build", "--outDir", folder, "--emptyOutDir", "--logLevel", "warn"],
        cwd=ROOT / "observatory" / "ui",
        check=True,
    )
    return folder


@contextmanager
def observatory_in_a_thread(data: Path, ui: Path) -> Iterator[OwnObservatory]:
    """Run an Observatory in this process, over the file `data`, while the block runs.

    For tests of its pages: to start a process, which has to import everything again, takes longer
    than most of them.
    """
    server = Running(data, ui)
    try:
        running = OwnObservatory(server.url)
        with running.http:
            yield running
    finally:
        server.stop()


@contextmanager
def own_observatory(data: Path, ui: Path, *options: str) -> Iterator[OwnObservatory]:
    """Run `python -m observatory` on a free port, over the file `data`, while the block runs."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "observatory", "--port", "0", "--data", data, "--ui", ui),
            *("--config", "scripts/stack/local/observatory.json", *options),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said.startswith("Observatory on http://"), said
        running = OwnObservatory(said.split()[2].rstrip("/,"))
        with running.http:
            yield running
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdout.close()


@contextmanager
def explorer_page(
    browser: Browser,
    url: str,
    *,
    scheme: Literal["light", "dark"] = "light",
    width: int = 1280,
    height: int = 900,
    touch: bool = False,
) -> Iterator[Page]:
    """A page of somebody who was never there; nothing is loaded in it yet.

    Paths are enough for `page.goto`. Fails at the end when a script raised, the
    Content-Security-Policy refused something, or the page asked any other host.
    """
    context = browser.new_context(
        base_url=url,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        has_touch=touch,
    )
    wrong: list[str] = []
    own = urlsplit(url).netloc

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            wrong.append(message.text)

    def on_request(request: Request) -> None:
        if urlsplit(request.url).netloc != own:
            wrong.append(f"asked {request.url}")

    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", on_console)
    page.on("request", on_request)
    try:
        yield page
    finally:
        context.close()
    assert wrong == [], "\n".join(wrong)


def accessible(page: Page, schemes: Iterable[Literal["light", "dark"]] = ("light", "dark")) -> None:
    """Fail when axe finds something wrong with the page as it is now, in light or in dark."""
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        found = violations(page)
        assert found == [], "\n".join([f"in {scheme}:", *found])
