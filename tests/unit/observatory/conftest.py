"""Fixtures that run a real Observatory for a test: uvicorn on a free port, with its own file."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from google.protobuf import json_format
from google.protobuf.message import Message

from observatory.api import Context
from observatory.app import create_app
from observatory.client import Observatory
from observatory.configuration import Configuration
from observatory.listening import listen
from observatory.store import Store
from stack.clients.firestore_rest import NO_CERTIFICATES
from tests.unit.observatory.box_office import BOX_OFFICE
from tests.unit.observatory.telemetry import Trace

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}


class Running:
    """A server in a thread of this process, with clients for tests."""

    def __init__(
        self, data: Path, ui: Path, configuration: Configuration = BOX_OFFICE, **options: Any
    ) -> None:
        self.store = Store(data, configuration.promotions)
        listener = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        options.setdefault("grace_seconds", 0.0)
        app = create_app(
            self.store,
            ui,
            examples=configuration.examples,
            conventions=configuration.conventions,
            **options,
        )
        self.context: Context = app.state.context
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5)
        )
        self._thread = threading.Thread(target=self._server.run, args=([listener],))
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline, "uvicorn did not start"
            time.sleep(0.01)
        self.http = httpx.Client(base_url=self.url, trust_env=False, verify=NO_CERTIFICATES)
        self.client = Observatory(self.url)

    def wait_until_caught_up(self) -> None:
        """Wait until every stored span is in the digests."""
        deadline = time.monotonic() + 30
        while self.client.health()["status"] != "ok":
            assert time.monotonic() < deadline, "the digests are incomplete after 30 s"
            time.sleep(0.01)

    def stop(self) -> None:
        """Shut down gracefully, which closes the store."""
        self.client.close()
        self.http.close()
        self._server.should_exit = True
        self._thread.join()

    def post(self, path: str, body: bytes, **headers: str) -> httpx.Response:
        """Post a body; header names are written with ``_`` for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(path, content=body, headers=PROTOBUF | named)

    def send(self, trace: Trace, *services: str) -> None:
        """Send a trace, or the spans of some of its services, and its log records.

        They are in the file when this returns.
        """
        response = self.post("/v1/traces", trace.request(*services).SerializeToString())
        assert response.status_code == 200, response.text
        if trace.logs:
            response = self.post("/v1/logs", trace.logs_request().SerializeToString())
            assert response.status_code == 200, response.text
        self.context.folding.catch_up()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """A function that starts Observatories; each is stopped when the test ends."""
    started: list[Running] = []

    def run(data: Path = tmp_path / "spans.duckdb", **options: Any) -> Running:
        started.append(Running(data, options.pop("ui", tmp_path / "ui"), **options))
        return started[-1]

    yield run
    for running in started:
        running.stop()


@pytest.fixture
def running(start: Callable[..., Running]) -> Running:
    """An empty Observatory."""
    return start()


def otlp_json(message: Message) -> dict[str, Any]:
    """Convert a message to OTLP/JSON: ids in hexadecimal, enums as numbers."""
    document: dict[str, Any] = json_format.MessageToDict(message, use_integers_for_enums=True)
    _ids_to_hex(document)
    return document


def _ids_to_hex(value: Any) -> None:
    import base64

    if isinstance(value, list):
        for item in value:
            _ids_to_hex(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ("traceId", "spanId", "parentSpanId"):
                value[key] = base64.b64decode(item).hex()
            else:
                _ids_to_hex(item)


def gzipped(body: bytes) -> bytes:
    """Return the body, compressed with gzip."""
    return gzip.compress(body, compresslevel=1)
