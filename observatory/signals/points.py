"""A data point of a metric."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """A data point of a metric, as it is stored."""

    time_unix_nano: int
    start_unix_nano: int | None
    value: float | None
    count: int | None
    sum: float | None
    bounds: list[float] | None
    bucket_counts: list[int] | None
    max_value: float | None
    attributes: dict[str, str]
    attribute_types: str
    resource_id: int
    type: str
    is_monotonic: bool
    temporality: str | None

    @property
    def is_counted(self) -> bool:
        """Return whether it is a counter, which is charted as its rate.

        A quantile of a summary is not: it has a value of its own beside the summary's count.
        """
        if self.type == "sum":
            return self.is_monotonic
        return self.count is not None and self.value is None

    @property
    def total(self) -> float | None:
        """Return the count of a histogram or summary, or the value of a sum."""
        return float(self.count) if self.count is not None else self.value

    def begins_series(self, since_unix_nano: int) -> bool:
        """Return whether the series of this first point started within the requested period.

        If so, the point's value is the increase since its start time. A start time that equals the
        point's own time means that the real start is unknown.
        """
        start = self.start_unix_nano
        return start is not None and since_unix_nano <= start < self.time_unix_nano

    def restarts_after(self, before: "Point") -> bool:
        """Return whether the counter was reset since the previous point ``before``."""
        return self.start_unix_nano is not None and self.start_unix_nano >= before.time_unix_nano


def finite(value: float | None) -> float | None:
    """Return the value, or None if it is not finite and so cannot be drawn or put in JSON."""
    return value if value is not None and math.isfinite(value) else None
