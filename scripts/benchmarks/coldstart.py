"""Measures the time from the start of a function's process to its first response.

The functions are those of functions/throughline/README.md, unchanged and without the lines that
mention throughline, in turn. Both import the Firebase SDK; they differ only in tracing.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.ratio import ratios
from stack import paths
from stack.errors import UserError
from stack.local.addresses import HOST

FOLDER = paths.MADE / "bench" / "coldstart"
THROUGHLINE = paths.FUNCTIONS / "throughline"
TARGET = "remind"
ANSWER_SECONDS = 60.0

_HEADERS = {
    "Content-Type": "application/json",
    "ce-id": "1",
    "ce-source": "//pubsub.googleapis.com/projects/demo-throughline/topics/order-greeted",
    "ce-specversion": "1.0",
    "ce-time": "2026-03-01T12:00:00.000000Z",
    "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
}


def measure(runs: int) -> dict[str, Any]:
    """Start both projects `runs` times in turn, and return the figures."""
    traced, untraced = _project("traced", _main_py()), _project("untraced", _without_throughline())
    with_s, without_s = [], []
    with _otlp_endpoint() as otlp:
        # The first turn, which is not counted, compiles the modules and warms the disk's cache. The
        # order alternates to cancel drift.
        for turn in range(runs + 1):
            pair = {project: 0.0 for project in ((traced, untraced), (untraced, traced))[turn % 2]}
            for project in pair:
                pair[project] = _first_answer_s(project, otlp)
            if turn:
                with_s.append(pair[traced])
                without_s.append(pair[untraced])
    return {
        "n": runs,
        **ratios(with_s, without_s),
        "with_tracing_s": round(statistics.median(with_s), 3),
        "without_s": round(statistics.median(without_s), 3),
    }


def _main_py() -> str:
    readme = (THROUGHLINE / "README.md").read_text()
    blocks: list[str] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    return next(block for block in blocks if "throughline.start()" in block)


def _without_throughline() -> str:
    return "\n".join(line for line in _main_py().splitlines() if "throughline" not in line)


def _project(name: str, main: str) -> Path:
    project = FOLDER / name
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(THROUGHLINE, project / "throughline")
    (project / "main.py").write_text(main)
    return project


def _first_answer_s(project: Path, otlp: str) -> float:
    """Return the seconds from starting Functions Framework in `project` to its first response."""
    port = _free_port()
    environment = {
        **os.environ,
        "FUNCTION_TARGET": TARGET,
        "FUNCTION_SIGNATURE_TYPE": "cloudevent",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
    }

    command = [str(paths.FUNCTIONS / "venv" / "bin" / "functions-framework")]
    command += ["--source", "main.py", "--host", HOST, "--port", str(port)]
    log = project.with_suffix(".log")
    with log.open("wb") as out:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            status = _first_status(port, process)
            took = time.monotonic() - began
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if status != 200:
        raise UserError(f"The function of {project.name} answered {status} (full log: {log}).")
    return took


def _first_status(port: int, process: subprocess.Popen[bytes]) -> int:
    message = {"data": base64.b64encode(b'{"order_id": "1"}').decode(), "attributes": {}}
    # Pub/Sub sends these keys in camelCase too; the SDK reads snake_case.
    message |= {"message_id": "1", "publish_time": _HEADERS["ce-time"]}
    body = json.dumps({"subscription": "any", "message": message})
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
        try:
            connection.request("POST", "/", body, _HEADERS)
            return connection.getresponse().status
        except ConnectionError:
            time.sleep(0.002)
        finally:
            connection.close()
    return 0


@contextmanager
def _otlp_endpoint() -> Iterator[str]:
    """Yield the URL of an OTLP endpoint that acknowledges everything at once."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
