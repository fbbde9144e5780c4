"""Run an Observatory with the built explorer for one test, and open browser pages on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
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
TRACES_PER_REQUEST = 100


class ObservatoryServer:
    """A running Observatory. `url` has no trailing slash; `http` resolves paths against it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=30, verify=NO_CERTIFICATES)

    def send(self, *traces: Trace) -> None:
        """Send the spans and log lines of traces; return once they are acknowledged."""
        for first in range(0, len(traces), TRACES_PER_REQUEST):
            spans, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
            for trace in traces[first : first + TRACES_PER_REQUEST]:
                spans.resource_spans.extend(trace.request().resource_spans)
                logs.resource_logs.extend(trace.logs_request().resource_logs)
            self.post("/v1/traces", spans.SerializeToString())
            if logs.resource_logs:
                self.post("/v1/logs", logs.SerializeToString())

    def post(self, path: str, body: bytes) -> None:
        """Post an OTLP/protobuf request; fail unless the response is 200."""
        response = self.http.post(path, content=body, headers=PROTOBUF)
        assert response.status_code == 200, response.text


@contextmanager
def observatory_in_a_thread(data: Path, ui: Path, **options: Any) -> Iterator[ObservatoryServer]:
    """Run an Observatory in this process, over the file `data`, while the block runs.

    Starting a process, which imports everything again, takes longer than most tests of its pages.

    Args:
        data: the file; created if absent.
        ui: the folder of the built explorer.
        options: further arguments of `create_app`.
    """
    running = Running(data, ui, **options)
    try:
        server = ObservatoryServer(running.url)
        with server.http:
            yield server
    finally:
        running.stop()


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
    """Yield a blank page in a fresh browser profile; `page.goto` takes paths below `url`.

    Fails when the block ends if a script raised, the Content-Security-Policy blocked anything, or
    the page sent a request to another host.
    """
    context = browser.new_context(
        base_url=url,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        has_touch=touch,
    )
    errors: list[str] = []
    own_host = urlsplit(url).netloc

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            errors.append(message.text)

    def on_request(request: Request) -> None:
        if urlsplit(request.url).netloc != own_host:
            errors.append(f"request to another host: {request.url}")

    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", on_console)
    page.on("request", on_request)
    try:
        yield page
    finally:
        context.close()
    assert errors == [], "\n".join(errors)


def assert_accessible(
    page: Page, schemes: Iterable[Literal["light", "dark"]] = ("light", "dark")
) -> None:
    """Fail if axe reports a violation on the page in its present state, in light or in dark.

    The schemes differ in their colours alone, so after the first only those are checked.
    """
    for number, scheme in enumerate(schemes):
        page.emulate_media(color_scheme=scheme)
        reported = violations(page, only_colours=number > 0)
        assert reported == [], "\n".join([f"in {scheme}:", *reported])
