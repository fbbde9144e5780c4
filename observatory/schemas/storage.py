"""How much the Observatory stores, and for how long."""

from typing import Literal

from typing_extensions import TypedDict


class Retention(TypedDict):
    """The limits of the store. Beyond them, whole traces are deleted, the oldest first."""

    age_hours: float
    size_mb: float


class Storage(TypedDict):
    """How much is stored, and where. ``oldest`` and ``newest`` are the start times of spans."""

    path: str
    spans: int
    logs: int
    metrics: int
    traces: int
    file_bytes: int
    memory_bytes: int
    oldest: str | None
    newest: str | None
    retention: Retention


class Confirmation(TypedDict):
    """The confirmation that everything should be deleted."""

    confirm: Literal["clear"]


class Cleared(TypedDict):
    """How much was deleted."""

    spans: int
    logs: int
    metrics: int
