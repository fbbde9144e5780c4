"""Response fields that hold promoted attributes."""

from typing import NotRequired

from typing_extensions import TypedDict


class PromotedFields(TypedDict):
    """The subject of a trace and the state that it reached, named like the configured columns.

    A field is absent when the configuration promotes no attribute to a column of that name, and
    null when no span of the trace has the attribute.
    """

    order_id: NotRequired[str | None]
    order_state: NotRequired[str | None]
