"""The clients of the Box Office that the tests share with `./scripts/load`."""

from stack.clients.box_office import (
    APPROVED,
    DECLINED,
    FINAL,
    BoxOffice,
    Buyer,
    new_order_id,
    new_traceparent,
)

__all__ = [
    "APPROVED",
    "DECLINED",
    "FINAL",
    "BoxOffice",
    "Buyer",
    "new_order_id",
    "new_traceparent",
]
