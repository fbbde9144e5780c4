"""Run an Observatory in a process that tests can kill, and commands without a process."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from tests.unit.observatory.box_office import CONFIG

ROOT = Path(__file__).parents[3]


def run_main(
    main: Callable[[list[str]], int], arguments: tuple[str, ...]
) -> subprocess.CompletedProcess[str]:
    """Run the `main` of a command in this process, which saves its imports.

    Return its exit status and what it printed, as `subprocess.run` does.
    """
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    err = io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status: int | str | None = main(list(arguments))
        except SystemExit as end:
            status = end.code
    assert isinstance(status, int)
    printed = out.buffer.getvalue().decode()
    return subprocess.CompletedProcess(arguments, status, printed, err.getvalue())


@contextmanager
def observatory_process(data: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start an Observatory; yield the process and its URL, and kill it at the end."""
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "observatory", "--port", "0"),
            *("--data", str(data), "--config", str(CONFIG), *options),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            startup_line = process.stdout.readline()
            assert "http://" in startup_line, process.communicate()
            yield process, startup_line.split()[2].rstrip("/,")
        finally:
            process.kill()


def peak_bytes(process: subprocess.Popen[str]) -> int:
    """Return the peak memory of a process (Linux only)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
