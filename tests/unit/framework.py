"""Runs Functions Framework in a process of its own for a test."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from stack.clients.firestore_rest import NO_CERTIFICATES
from tests.unit.local_server import eventually, free_port, is_taken

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Framework:
    """A running function: its port, its process and the file with its output."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        """Return the function's URL."""
        return f"http://127.0.0.1:{self.port}"

    def log_lines(self) -> list[str]:
        """Return the lines that the process has written so far."""
        return self.log.read_text(errors="replace").splitlines()

    def stop(self, signal_number: int) -> None:
        """Send a signal to the server and its worker, and wait until both have exited."""
        os.killpg(self.process.pid, signal_number)
        self.process.wait()
        # Both hold the listening socket, so the port is free only when both have exited.
        eventually(lambda: not is_taken(self.port), "the server and its worker exit")


@contextmanager
def framework(
    command: Path, source: Path, env: Mapping[str, str], log: Path, probe: str
) -> Iterator[Framework]:
    """Serve `source` with the functions-framework `command`, and wait for `GET probe` to answer."""
    port = free_port()
    inherited = {
        name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [command, "--source", "main.py", "--host", "127.0.0.1", "--port", str(port)],
            cwd=source,
            env={**inherited, **env},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    running = Framework(port, process, log)

    def answers() -> bool:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            return httpx.get(
                running.url + probe, trust_env=False, timeout=5, verify=NO_CERTIFICATES
            ).is_success
        except httpx.TransportError:
            return False

    try:
        eventually(answers, f"{source.name} answers")
        yield running
    finally:
        if process.poll() is None:
            running.stop(signal.SIGKILL)
