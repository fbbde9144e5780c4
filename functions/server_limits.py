"""Limits of the Gunicorn server for which functions-framework has no setting.

functions-framework creates its Gunicorn application after it has imported main.py, so main.py can
change Gunicorn's defaults.
"""

from __future__ import annotations

from gunicorn.config import LimitRequestFieldSize

HEADER_LINE_MAX_BYTES = 16_384


def accept_long_headers() -> None:
    """Let header lines of up to 16 KB reach the function.

    By default Gunicorn answers 431 above 8,190 bytes: a `tracestate` of that length would fail the
    request that carries it, and no span would say why.
    """
    LimitRequestFieldSize.default = HEADER_LINE_MAX_BYTES
