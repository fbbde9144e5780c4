"""Limits of the server around the functions that functions-framework offers no setting for.

It creates its Gunicorn application after it has imported main.py, so changing Gunicorn's defaults
from there takes effect.
"""

from __future__ import annotations

from gunicorn.config import LimitRequestFieldSize

HEADER_LINE_MAX_BYTES = 16_384


def take_long_headers() -> None:
    """Let a header line of 8 KB reach the function.

    By default Gunicorn answers 431 above 8,190 bytes: a `tracestate` of that length would fail the
    request that carries it, and no span would say why.
    """
    LimitRequestFieldSize.default = HEADER_LINE_MAX_BYTES
