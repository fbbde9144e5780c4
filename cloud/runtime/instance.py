"""One instance of a function: a process group that is stopped while no request is open.

- CPU is allocated while a request is processed; between requests the instance has almost none:
  https://docs.cloud.google.com/run/docs/configuring/billing-settings
- An instance that is shut down receives SIGTERM, and SIGKILL ten seconds later:
  https://docs.cloud.google.com/run/docs/container-contract#instance-shutdown
- An instance above its memory limit is terminated:
  https://docs.cloud.google.com/run/docs/configuring/services/memory-limits

SIGSTOP stands in for the CPU that is taken away. It is stricter than production, where such an
instance still gets a small, undocumented share.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SHUTDOWN_SECONDS = 10.0


class StartFailed(Exception):
    """An instance did not listen on its port in time, or ended before."""


class Instance:
    """A running instance; `open_requests` counts the requests that it processes."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, port: int) -> None:
        self.name = name
        self.port = port
        self.open_requests = 0
        self.idle_since = time.monotonic()
        self.ended_because = ""
        self._process = process
        self._is_stopped = False

    @property
    def address(self) -> str:
        """Return the base URL of the instance's server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        """Return whether the process has not ended."""
        return self._process.returncode is None

    @property
    def exit_status(self) -> str:
        """Return how the process ended."""
        return f"with status {self._process.returncode}"

    def begin_request(self) -> None:
        """Give the instance its CPU, and count one more request."""
        self.open_requests += 1
        if self._is_stopped:
            self._signal(signal.SIGCONT)
            self._is_stopped = False

    def end_request(self) -> None:
        """Count one request less, and take the CPU away when none is left."""
        self.open_requests -= 1
        if not self.open_requests:
            self.idle_since = time.monotonic()
            self._signal(signal.SIGSTOP)
            self._is_stopped = True

    def memory_bytes(self) -> int:
        """Return the resident memory of the instance's processes; 0 where it can't be read.

        Pages that the processes share count once, as in a container (proportional set size).
        """
        total = 0
        for pid in _members(self._process.pid):
            with contextlib.suppress(OSError, ValueError, IndexError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
        return total

    async def shut_down(self, reason: str, seconds: float = SHUTDOWN_SECONDS) -> None:
        """End the instance as the platform does: SIGTERM, and SIGKILL after `seconds`."""
        self.ended_because = self.ended_because or reason
        # A stopped process has CPU again while it shuts down.
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._process.wait()
        await self.kill(reason)

    async def kill(self, reason: str) -> None:
        """End the instance at once."""
        self.ended_because = self.ended_because or reason
        self._signal(signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                await self._process.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


async def start(  # noqa: PLR0913, PLR0917  (a process has that many settings)
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    cwd: Path,
    log: Path,
    seconds: float,
) -> Instance:
    """Start an instance and wait until it listens on its port.

    A new instance has its CPU while it starts, and is not stopped before its first request ends.

    Raises:
        StartFailed: it ended, or does not listen after `seconds`.
    """
    port = _free_port()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**environment, "PORT": str(port)},
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
    instance = Instance(name, process, port)
    try:
        await _until_listening(instance, log, seconds)
    except BaseException:
        await instance.kill("did not start")
        raise
    return instance


async def _until_listening(instance: Instance, log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not await _is_listening(instance.port):
        if not instance.is_running:
            raise StartFailed(f"{instance.name} ended {instance.exit_status}: {last_line(log)}")
        if time.monotonic() > deadline:
            raise StartFailed(f"{instance.name} does not listen on its port after {seconds:g} s")
        await asyncio.sleep(0.02)


def last_line(log: Path) -> str:
    """Return the last line of a log that is not empty."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it printed nothing"


async def _is_listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _members(group: int) -> list[int]:
    """Return the processes of a process group (Linux only)."""
    members = []
    with contextlib.suppress(OSError):
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, IndexError, ValueError):
                    # "pid (name) state ppid pgrp …"; the name may hold spaces and brackets.
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                    if int(fields[2]) == group:
                        members.append(int(entry.name))
    return members
