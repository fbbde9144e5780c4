"""One point of a metric."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a metric, as it is stored."""

    time_unix_nano: int
    start_unix_nano: int | None
    value: float | None
    count: int | None
    sum: float | None
    bounds: list[float] | None
    bucket_counts: list[int] | None
    attributes: dict[str, str]
    attribute_types: str
    resource_id: int
    type: str
    is_monotonic: bool
    temporality: str | None

    @property
    def is_counted(self) -> bool:
        """Whether it is a count that grows, of which the growth is what matters."""
        return self.count is not None or (self.type == "sum" and self.is_monotonic)

    @property
    def total(self) -> float | None:
        """What is counted, or the value."""
        return float(self.count) if self.count is not None else self.value


def finite(value: float | None) -> float | None:
    """The value, or None for one that can't be drawn, nor said in JSON."""
    return value if value is not None and math.isfinite(value) else None
