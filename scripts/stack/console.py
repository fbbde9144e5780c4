"""Progress messages of the scripts. They go to stderr; stdout is for results."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_running: dict[str, float] = {}


def print_line(text: str) -> None:
    """Print one line."""
    with _lock:
        _clear()
        print(text, file=sys.stderr, flush=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Show that a step is running, and its duration once it has ended.

    On a terminal one line counts the seconds of all running steps. Elsewhere one line is printed
    when the step starts, and one when it ends.
    """
    began = time.monotonic()
    if not sys.stderr.isatty():
        print_line(f"  … {name}")
    with _lock:
        _running[name] = began
        first = len(_running) == 1
    if first and sys.stderr.isatty():
        threading.Thread(target=_tick, daemon=True).start()
    try:
        yield
    except BaseException:
        with _lock:
            _running.pop(name, None)
            _clear()
        raise
    with _lock:
        _running.pop(name, None)
    print_line(f"  ✓ {name} ({time.monotonic() - began:.1f} s)")


def _tick() -> None:
    while True:
        with _lock:
            if not _running:
                return
            now = time.monotonic()
            _clear()
            busy = "  ".join(f"{name} {now - began:.0f} s" for name, began in _running.items())
            sys.stderr.write(f"  … {busy}"[:100])
            sys.stderr.flush()
        time.sleep(0.5)


def _clear() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
