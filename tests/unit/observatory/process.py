"""An Observatory in a process of its own, which may be killed or measured."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.unit.observatory.box_office import CONFIG

ROOT = Path(__file__).parents[3]


@contextmanager
def observatory_process(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process of its own, and the URL it says it listens on; killed at the end."""
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "observatory", "--port", "0"),
            *("--data", str(data), "--config", str(CONFIG)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert "http://" in said, process.communicate()
            yield process, said.split()[2].rstrip("/,")
        finally:
            process.kill()


def peak_bytes(process: subprocess.Popen[str]) -> int:
    """The most memory that it ever had at once, as Linux tells it."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
