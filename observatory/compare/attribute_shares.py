"""How many traces have a value, of two groups of traces, and how much that tells of them."""

import math
from dataclasses import dataclass, field
from typing import Literal

from observatory.schemas.overview import ComparedAttribute, ComparedValue

VALUES_LIMIT = 8


@dataclass
class Share:
    """A value or a range, the filter that finds it, and how many traces have it."""

    label: str
    filter: str
    inside: int
    outside: int


@dataclass(frozen=True)
class Sizes:
    """How many traces are inside, and how many the rest are."""

    selected: int
    rest: int

    def inside(self, share: Share) -> float:
        """The share of those inside, from 0 to 1."""
        return share.inside / self.selected if self.selected else 0.0

    def outside(self, share: Share) -> float:
        """The share of the rest, from 0 to 1."""
        return share.outside / self.rest if self.rest else 0.0

    def difference(self, share: Share) -> float:
        """By how much the two differ, whichever is larger."""
        return abs(self.inside(share) - self.outside(share))

    def noise(self, share: Share) -> float:
        """How much they would differ by chance: the standard error, were there no difference."""
        together = (share.inside + share.outside) / max(1, self.selected + self.rest)
        together = min(1.0, together)
        each = 1 / max(1, self.selected) + 1 / max(1, self.rest)
        return math.sqrt(together * (1 - together) * each)


@dataclass
class Attribute:
    """One attribute and its values.

    ``difference`` is the largest of its values', unless more is known: ranges of numbers differ by
    what is above any of their bounds. Attributes are ranked by ``score``: what can't be chance.
    """

    key: str
    kind: Literal["text", "number", "derived"]
    sizes: Sizes
    shares: list[Share]
    difference: float = 0.0
    score: float = field(default=-1.0)
    # For waits: how long the middle trace waits inside and outside.
    medians: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for share in self.shares:
            self._weigh(share)

    def add(self, share: Share) -> None:
        """One value more."""
        self.shares.append(share)
        self._weigh(share)

    def _weigh(self, share: Share) -> None:
        difference = self.sizes.difference(share)
        self.difference = max(self.difference, difference)
        self.score = max(self.score, difference - self.sizes.noise(share))

    @property
    def tells_anything(self) -> bool:
        """Whether not all traces are the same in it."""
        return self.difference > 0 or len(self.shares) > 1

    def shape(self) -> ComparedAttribute:
        """It as the API says it; text by difference, ranges from low to high."""
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
            "difference": self.difference,
            "values": values,
        }
