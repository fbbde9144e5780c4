"""Starts processes that always end with the script that started them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.console import print_line
from stack.errors import LOGS_HINT, UserError

# A process that ended sooner than this is not restarted: it would end again.
SHORT_LIFE_SECONDS = 10.0
# How long a process has to end by itself before it is killed.
GRACE_SECONDS = 12.0

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Service:
    """One process of the stack, the leader of its own process group, and its log."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: Path

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start the process, and append its output to its log."""
        self.began = time.monotonic()
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )

    def check(self) -> None:
        """Raise UserError if the process has ended."""
        status = self.process.poll()
        if status is not None:
            raise UserError(f"{self.name} ended with status {status}: {_last_error(self.log)}")

    def revive(self) -> None:
        """Restart the process if it has ended, unless it ran for less than SHORT_LIFE_SECONDS."""
        try:
            self.check()
        except UserError as problem:
            if time.monotonic() - self.began < SHORT_LIFE_SECONDS:
                raise
            print_line(f"✗ {problem}\n  Restarting it.")
            self.kill_group(signal.SIGKILL)
            self.begin()

    def kill_and_restart(self) -> None:
        """Kill the process and its group without a warning, and start it again."""
        self.kill_group(signal.SIGKILL)
        self.process.wait()
        self.begin()

    def kill_group(self, signal_number: int) -> None:
        """Send a signal to the process and its whole process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal_number)


class Processes:
    """The processes of one stack. As a context manager, it ends all of them.

    Each is the leader of its own group, so a Ctrl-C at the terminal reaches only this process,
    which then ends them in the right order. On Linux this process is a subreaper: it inherits the
    orphaned children of killed processes, and if it is killed itself, the kernel ends its children.
    On other systems only the process groups are ended.
    """

    def __init__(self) -> None:
        self.services: list[Service] = []
        if sys.platform == "linux":
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)

    def start(
        self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path, cwd: Path
    ) -> Service:
        """Start one process, with its output in `log`, which is overwritten."""
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        service = Service(name, command, env, log, cwd)
        self.services.append(service)
        return service

    def service(self, name: str) -> Service:
        """Return the service with that name."""
        return next(service for service in self.services if service.name == name)

    def pid(self, name: str) -> int:
        """Return the process id of the service with that name."""
        return self.service(name).process.pid

    def check(self) -> None:
        """Raise UserError if a process has ended."""
        for service in self.services:
            service.check()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """End all processes, the last started first, so that the Observatory receives telemetry to
        the end.

        A second Ctrl-C kills them without waiting.
        """
        if self.services:
            print_line("Stopping …")
        try:
            for service in reversed(self.services):
                _end_politely(service)
        except KeyboardInterrupt:
            pass
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            for service in self.services:
                service.kill_group(signal.SIGKILL)
                service.process.wait()
            if sys.platform == "linux":
                _end_orphans()
            self.services.clear()
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _end_politely(service: Service) -> None:
    if service.process.poll() is None:
        # Only to the leader, which signals its own children: a second signal makes firebase-tools
        # abort its orderly shutdown.
        service.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            service.process.wait(GRACE_SECONDS)
    service.kill_group(signal.SIGKILL)


def _end_orphans() -> None:
    """Kill the processes that this one inherited as a subreaper."""
    for _ in range(100):
        orphans = _children_of(os.getpid())
        if not orphans:
            return
        for orphan in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(orphan, 0)


def trees_with(ancestor: int, variable: str, value: str) -> list[int]:
    """Return the topmost descendants of `ancestor` whose environment has this value (Linux only).

    Their own descendants have inherited it.
    """
    wanted = f"{variable}={value}".encode()
    found: list[int] = []
    for child in _children_of(ancestor):
        environment = b""
        with contextlib.suppress(OSError):
            environment = Path(f"/proc/{child}/environ").read_bytes()
        if wanted in environment.split(b"\0"):
            found.append(child)
        else:
            found += trees_with(child, variable, value)
    return found


def kill_tree(root: int) -> None:
    """Kill a process and its descendants (Linux only)."""
    children = _children_of(root)
    with contextlib.suppress(ProcessLookupError):
        os.kill(root, signal.SIGKILL)
    for child in children:
        kill_tree(child)


def _children_of(parent: int) -> list[int]:
    children = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # "pid (name) state ppid …"; the name may hold spaces and brackets.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == parent:
                    children.append(int(entry.name))
    return children


def _end_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def wait_until(
    condition: Callable[[], bool], what: str, processes: Processes, seconds: float
) -> None:
    """Wait until `condition()` is true.

    Raises:
        UserError: a process ended, or `condition()` is still false after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        processes.check()
        if time.monotonic() > deadline:
            raise UserError(
                f"{what} was not ready within {seconds:.0f} s.",
                hint=LOGS_HINT,
            )
        time.sleep(0.1)


def _last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines or ["it printed nothing"]
    return f"{errors[-1][:300]} (full log: {log})"
