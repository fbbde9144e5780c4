"""Failures that no retry can help; `giving_up` ends what failed.

Every other exception counts as transient: the stage fails, and the platform delivers its event
again later.
"""

from __future__ import annotations

from boxoffice.order import State


class PermanentFailure(Exception):
    """Raised where trying again would fail in the same way.

    `reason` is a code for spans and dead letters, and for the order, if one failed.
    """

    reason = "permanent"


class OrderFailure(PermanentFailure):
    """Raised for an order that can never leave its state by the move that its stage makes.

    `state` is the order's state when that became known. `charge_id` is set if the order's card was
    charged, and the money has to go back.
    """

    def __init__(
        self, order_id: str, state: State, reason: str, message: str, charge_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.order_id = order_id
        self.state = state
        self.reason = reason
        self.charge_id = charge_id
