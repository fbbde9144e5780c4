"""Ends every command the same way: errors become one line, signals stop all processes."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable

from stack import proxies
from stack.console import print_line
from stack.errors import UserError

INTERRUPTED = 130


def exit_status(command: Callable[[], int]) -> Callable[[], int]:
    """Wrap `command` to return 1 on a UserError and 130 when interrupted, with a message."""

    @functools.wraps(command)
    def run() -> int:
        unwind_on_signals()
        proxies.bypass_for_loopback(os.environ)
        try:
            return command()
        except UserError as error:
            print_line(f"✗ {error}")
            return 1
        except KeyboardInterrupt:
            print_line("\nInterrupted. All processes have been stopped.")
            return INTERRUPTED

    return run


def unwind_on_signals() -> None:
    """Make SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt.

    SIGINT is set too, because a shell starts background processes with SIGINT ignored.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
