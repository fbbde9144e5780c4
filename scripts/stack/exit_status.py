"""How every command ends: an error is one line, and a signal leaves nothing running."""

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
    """Have `command` end with 1 on a UserError and with 130 when interrupted, each said once."""

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
            print_line("\nInterrupted; nothing is left running.")
            return INTERRUPTED

    return run


def unwind_on_signals() -> None:
    """Have SIGTERM and SIGHUP unwind this process as Ctrl-C does, and Ctrl-C in any case.

    A shell starts what it puts in the background with SIGINT ignored.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
