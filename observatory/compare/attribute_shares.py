"""The shares of traces with a value, inside and outside of a subset, and their differences."""

import math
from dataclasses import dataclass, field
from typing import Literal

from observatory.schemas.overview import ComparedAttribute, ComparedValue

VALUES_LIMIT = 8


@dataclass
class Share:
    """A value or a range, its filter, and the number of traces with it inside and outside."""

    label: str
    filter: str
    inside: int
    outside: int


@dataclass(frozen=True)
class Sizes:
    """The numbers of traces inside the subset and outside of it."""

    selected: int
    rest: int

    def inside(self, share: Share) -> float:
        """Return the share of the traces inside, from 0 to 1."""
        return share.inside / self.selected if self.selected else 0.0

    def outside(self, share: Share) -> float:
        """Return the share of the traces outside, from 0 to 1."""
        return share.outside / self.rest if self.rest else 0.0

    def difference(self, share: Share) -> float:
        """Return the absolute difference of the two shares."""
        return abs(self.inside(share) - self.outside(share))

    def noise(self, share: Share) -> float:
        """Return the standard error of the difference under the hypothesis that there is none."""
        pooled = (share.inside + share.outside) / max(1, self.selected + self.rest)
        pooled = min(1.0, pooled)
        inverse_sizes = 1 / max(1, self.selected) + 1 / max(1, self.rest)
        return math.sqrt(pooled * (1 - pooled) * inverse_sizes)


@dataclass
class Attribute:
    """An attribute and its values.

    ``difference`` is the largest difference of its values' shares; for numbers, also of the shares
    above each bound of its ranges. Attributes are ranked by ``score``: the difference less its
    noise.
    """

    key: str
    kind: Literal["text", "number", "derived"]
    sizes: Sizes
    shares: list[Share]
    # Whether it is an attribute of the first span of its traces, with one value in each.
    known_at_start: bool = False
    difference: float = 0.0
    score: float = field(default=-1.0)
    # For waits: the medians inside and outside, in milliseconds.
    medians: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for share in self.shares:
            self._update_score(share)

    def add(self, share: Share) -> None:
        """Add a value."""
        self.shares.append(share)
        self._update_score(share)

    def _update_score(self, share: Share) -> None:
        difference = self.sizes.difference(share)
        self.difference = max(self.difference, difference)
        self.score = max(self.score, difference - self.sizes.noise(share))

    @property
    def varies(self) -> bool:
        """Whether the traces differ in this attribute at all."""
        return self.difference > 0 or len(self.shares) > 1

    def to_json(self) -> ComparedAttribute:
        """Serialise for the API: text sorted by difference, ranges from low to high."""
        shares = self.shares
        if self.kind == "text":
            shares = sorted(shares, key=lambda share: -self.sizes.difference(share))
        values: list[ComparedValue] = [
            {
                "label": share.label,
                "filter": share.filter,
                "inside": self.sizes.inside(share),
                "outside": self.sizes.outside(share),
                "inside_count": share.inside,
                "outside_count": share.outside,
            }
            for share in shares[:VALUES_LIMIT]
        ]
        return {
            "key": self.key,
            "kind": self.kind,
            "known_at_start": self.known_at_start,
            "difference": self.difference,
            "values": values,
        }
