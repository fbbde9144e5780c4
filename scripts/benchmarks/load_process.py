"""Runs the senders of otlp_load.py in a separate process, so that they don't slow the benchmark."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any, TypedDict

from stack import paths
from stack.errors import UserError


class Sent(TypedDict):
    """The result of a round, as otlp_load.py prints it.

    `spans` is the number of spans in requests answered with 200, `seconds` the duration,
    `throttled` the number of responses 429 or 503, and `refused` that of all other responses.
    """

    spans: int
    seconds: float
    throttled: int
    refused: int
    last_trace_id: str


class LoadProcess:
    """Eight senders to one OTLP endpoint. As a context manager, it ends their process."""

    def __init__(self, url: str, spans: int, seed: int = 1) -> None:
        command = [str(paths.python_in(paths.VENV)), "-m", "benchmarks.otlp_load", url]
        self._process = subprocess.Popen(
            [*command, "--spans", str(spans), "--seed", str(seed)],
            cwd=paths.ROOT,
            env={**os.environ, "PYTHONPATH": str(paths.ROOT / "scripts")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._encoded = False

    def encode(self) -> None:
        """Wait until the next round is encoded."""
        if not self._encoded:
            self._read_line()
            self._encoded = True

    def send(self) -> Sent:
        """Send a round, and return its result."""
        self.encode()
        if self._process.stdin:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        self._encoded = False
        sent: Sent = self._read_line()  # type: ignore[assignment]  # it is otlp_load.py's line
        return sent

    def _read_line(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise UserError(
                f"The process that sends spans ended with status {self._process.poll()}; its error "
                "is above."
            )
        message: dict[str, Any] = json.loads(line)
        return message

    def __enter__(self) -> LoadProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
