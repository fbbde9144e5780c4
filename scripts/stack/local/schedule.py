"""Fire the scheduled functions, which the emulator registers and never runs."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from stack.console import print_line

# By the function's name: how often its schedule says.
EVERY_SECONDS = {"sweep": 60.0}
TIMEOUT_SECONDS = 120.0


@contextmanager
def on_schedule(functions_url: str, project: str) -> Iterator[None]:
    """Fire each scheduled function whenever it is due, the first time after one interval, while the
    block runs. A failure is reported once, until the function works again."""
    over = threading.Event()
    clocks = [
        threading.Thread(
            target=_keep_firing,
            # The emulator's name for a function that an event or a schedule starts.
            args=(name, f"{functions_url}/{project}/us-central1/{name}-0", seconds, over),
            name=f"schedule of {name}",
            daemon=True,
        )
        for name, seconds in EVERY_SECONDS.items()
    ]
    for clock in clocks:
        clock.start()
    try:
        yield
    finally:
        over.set()


def _keep_firing(name: str, url: str, seconds: float, over: threading.Event) -> None:
    is_reported = False
    while not over.wait(seconds):
        problem = fire(url)
        if problem and not is_reported and not over.is_set():
            print_line(f"✗ The scheduled function {name} fails: {problem}. Its log line says why.")
        is_reported = bool(problem)


def fire(url: str) -> str | None:
    """Call a scheduled function; returns what was wrong, or None."""
    request = urllib.request.Request(url, data=b"", method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
            return None
    except urllib.error.HTTPError as error:
        return f"status {error.code}"
    except OSError as error:
        return f"{type(error).__name__}: {error}"
