"""Our own modules that need what install.py made, as processes of the environment it made."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence

from stack import places


def run(module: str, arguments: Sequence[str]) -> int:
    """Run `python -m module`, and return its exit status.

    In a group of its own a Ctrl-C reaches it through us alone, once, and it can put all back.
    """
    command = [str(places.python_in(places.VENV)), "-m", module, *arguments]
    with subprocess.Popen(command, cwd=places.ROOT, process_group=0) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
