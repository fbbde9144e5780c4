"""Runs external commands, such as npm, uv, apt-get and vite, with their output in logs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack import paths
from stack.errors import UserError

LOGS = paths.MADE / "logs"

_lock = threading.Lock()
_running: set[subprocess.Popen[bytes]] = set()
_ending = threading.Event()


def run(
    command: Sequence[str],
    name: str,
    hint: str,
    cwd: Path = paths.ROOT,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run `command`, with its output in the log `name`.

    Args:
        command: the command and its arguments.
        name: name of the log in .throughline/logs, without the suffix.
        hint: what to do if the command fails.
        cwd: the working directory.
        env: additional environment variables.

    Raises:
        UserError: it can't be run or fails; the message has the most informative line of output.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    status = _status_of(command, log, cwd, {**os.environ, **(env or {})}, hint)
    if status:
        shown = " ".join(Path(word).name if "/" in word else word for word in command[:3])
        raise UserError(
            f"`{shown} …` failed: {_most_informative_line(log)}.",
            hint=f"{hint} Full log: {log.relative_to(paths.ROOT)}".strip(),
        )


def succeeds(command: Sequence[str], name: str) -> bool:
    """Run `command`, and return whether it succeeded."""
    try:
        run(command, name, "")
    except UserError:
        return False
    return True


def end_all() -> None:
    """Kill the commands that other threads are running, and prevent new ones from starting."""
    _ending.set()
    with _lock:
        for process in _running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _status_of(
    command: Sequence[str], log: Path, cwd: Path, env: Mapping[str, str], hint: str
) -> int:
    with log.open("wb") as out:
        with _lock:
            if _ending.is_set():
                raise UserError("Interrupted.")
            try:
                process = subprocess.Popen(
                    command,
                    cwd=cwd,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    process_group=0,
                )
            except OSError as error:
                raise UserError(
                    f"{command[0]} can't be run ({error.strerror}).", hint=hint
                ) from error
            _running.add(process)
        try:
            return process.wait()
        except BaseException:  # a Ctrl-C reaches only us: the command has its own process group
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            with _lock:
                _running.discard(process)


def _most_informative_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [
        line
        for line in lines
        if "error" in line.lower() and ".log" not in line and not line.startswith(("WARNING", "⚠"))
    ]
    # The cause is usually among the first errors; the longest of them has the most detail.
    return max(errors[:6] or lines[-1:] or ["it printed nothing"], key=len)[:200]
