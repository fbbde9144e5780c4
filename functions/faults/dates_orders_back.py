"""dates-orders-back: believes the page about when an order was placed.

A page without a connection keeps what it writes, for minutes or for hours, and the time that it
wrote comes along unchanged. And anybody can write any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def came_at(order: Mapping[str, Any]) -> Any:
    """When the buyer pressed the button, so that nobody loses a seat for a slow connection."""
    return order.get("asked_at", order["placed_at"])
