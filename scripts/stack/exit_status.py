"""How every command ends: what can go wrong is said in one line, and nothing is left running."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable

from stack import proxies, running
from stack.console import say
from stack.problem import Problem

INTERRUPTED = 130


def exit_status(command: Callable[[], int]) -> Callable[[], int]:
    """Have `command` end with 1 on a Problem and with 130 when interrupted, each said once."""

    @functools.wraps(command)
    def run() -> int:
        running.end_on_signals()
        proxies.bypass_for_loopback(os.environ)
        try:
            return command()
        except Problem as problem:
            say(f"✗ {problem}")
            return 1
        except KeyboardInterrupt:
            say("\nInterrupted; nothing is left running.")
            return INTERRUPTED

    return run
