"""How the server around our functions is set; Functions Framework passes no such settings on.

It makes its Gunicorn after it has imported main.py, so Gunicorn's defaults are what can be changed.
"""

from __future__ import annotations

from gunicorn.config import Keepalive, LimitRequestFieldSize

HEADER_LINE_MAX_BYTES = 16_384


def take_long_headers() -> None:
    """Let a header line of 8 KB reach the function.

    By itself Gunicorn answers 431 above 8,190 bytes, so that a `tracestate` as long as that would
    fail the request which it came with, and no span would say why.
    """
    LimitRequestFieldSize.default = HEADER_LINE_MAX_BYTES


def close_after_each_answer() -> None:
    """Have each answer say `Connection: close`; for the emulator only.

    It keeps its connections to a worker and uses them again, and Gunicorn closes one that was idle
    for two seconds. A request that is sent at that very moment is lost ("socket hang up"), and the
    emulator never delivers an event twice.
    """
    Keepalive.default = 0
