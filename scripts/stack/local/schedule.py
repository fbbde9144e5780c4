"""Fires the scheduled functions, which the emulator registers but never runs."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from stack.console import print_line

# The interval of each scheduled function, by its name.
EVERY_SECONDS = {"sweep": 60.0}
TIMEOUT_SECONDS = 120.0


@contextmanager
def on_schedule(functions_url: str, project: str) -> Iterator[None]:
    """Fire each scheduled function at its interval while the block runs.

    The first call is after one interval. Of several failures in a row only the first is reported.
    """
    over = threading.Event()
    clocks = [
        threading.Thread(
            target=_keep_firing,
            # The emulator's name of a function with an event or schedule trigger has the suffix -0.
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
            print_line(
                f"✗ The scheduled function {name} failed: {problem}. Look for its error in "
                "firebase.log of this stack."
            )
        is_reported = bool(problem)


def fire(url: str) -> str | None:
    """Call a scheduled function; return a description of the failure, or None."""
    request = urllib.request.Request(url, data=b"", method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
            return None
    except urllib.error.HTTPError as error:
        return f"status {error.code}"
    except OSError as error:
        return f"{type(error).__name__}: {error}"
