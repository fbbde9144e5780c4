"""What the Observatory keeps, and for how long."""

from typing import Literal

from typing_extensions import TypedDict


class Retention(TypedDict):
    """The limits: what is beyond them is deleted, whole traces, the oldest first."""

    age_hours: float
    size_mb: float


class Storage(TypedDict):
    """How much is stored, and where. ``oldest`` and ``newest`` are starts of spans."""

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
    """That everything is meant to be deleted."""

    confirm: Literal["clear"]


class Cleared(TypedDict):
    """What a clear deleted."""

    spans: int
    logs: int
    metrics: int
