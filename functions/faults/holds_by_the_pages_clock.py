"""holds-by-the-pages-clock: adds our minutes to a time that somebody else's clock told.

Most clocks are right within a second, so that it works for whoever tries it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def begins_at(order: Mapping[str, Any], now: datetime) -> Any:
    """When the hold begins: with the button that the buyer pressed, as their page has it."""
    return order.get("asked_at", now)
