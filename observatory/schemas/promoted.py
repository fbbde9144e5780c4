"""Fields that an answer has where the configuration promotes attributes to them."""

from typing import NotRequired

from typing_extensions import TypedDict


class PromotedFields(TypedDict):
    """What a trace is about and the state that came to, named as the configured columns are.

    Absent where no attribute is promoted to a column of the name; null where no span has it.
    """

    order_id: NotRequired[str | None]
    order_state: NotRequired[str | None]
