"""Run other projects' commands to their end: npm, uv, apt-get, vite."""

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
    """Run `command`, its output going to the log `name`.

    Raises:
        UserError: it can't be run or fails; with the line of its output that says most.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    status = _status_of(command, log, cwd, {**os.environ, **(env or {})}, hint)
    if status:
        shown = " ".join(Path(word).name if "/" in word else word for word in command[:3])
        raise UserError(
            f"`{shown} …` failed: {_telling_line(log)}.",
            hint=f"{hint} All of its output: {log.relative_to(paths.ROOT)}".strip(),
        )


def succeeds(command: Sequence[str], name: str) -> bool:
    """Run `command`, and return whether it succeeded."""
    try:
        run(command, name, "")
    except UserError:
        return False
    return True


def end_all() -> None:
    """End every command that is running in another thread, and let no other begin."""
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
        except BaseException:  # a Ctrl-C reaches us alone: the command has a group of its own
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            with _lock:
                _running.discard(process)


def _telling_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [
        line
        for line in lines
        if "error" in line.lower() and ".log" not in line and not line.startswith(("WARNING", "⚠"))
    ]
    # The first errors are the cause, and of those the longest says most.
    return max(errors[:6] or lines[-1:] or ["it printed nothing"], key=len)[:200]
