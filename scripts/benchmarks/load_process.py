"""Start the senders of otlp_load.py as a process, which shares no interpreter with who measures."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any, TypedDict

from stack import paths
from stack.errors import UserError


class Sent(TypedDict):
    """What came of a round: spans answered with 200, and the seconds until the last of them."""

    spans: int
    seconds: float
    told_later: int
    refused: int
    last_trace_id: str


class LoadProcess:
    """Eight senders to one OTLP endpoint. As a context manager it leaves none of them behind."""

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
        """Return once the next round is encoded, so that nothing but sending is left to do."""
        if not self._encoded:
            self._said()
            self._encoded = True

    def send(self) -> Sent:
        """Send a round."""
        self.encode()
        if self._process.stdin:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        self._encoded = False
        sent: Sent = self._said()  # type: ignore[assignment]  # it is otlp_load.py's line
        return sent

    def _said(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise UserError("The process that sends spans has ended.")
        said: dict[str, Any] = json.loads(line)
        return said

    def __enter__(self) -> LoadProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
