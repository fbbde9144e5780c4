"""What is done to events on request, decided by a seed alone so that it can be done again. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Failure = Literal["before", "after"]

MAX_DELAY_MS = 60_000.0


class BadChaos(Exception):
    """A request for chaos that can't be met; the message names the key and the value."""


@dataclass(frozen=True)
class Chaos:
    """How much of each mischief; all zeros is none.

    The rates are shares of first deliveries, from 0 to 1. Of those that fail, half do so before the
    function runs, half after it: its work is then not begun, or done and nobody knows.
    """

    seed: int = 0
    duplicate_rate: float = 0.0
    delay_ms_max: float = 0.0
    reorder_rate: float = 0.0
    fail_rate: float = 0.0

    @property
    def on(self) -> bool:
        """Whether anything at all is asked for."""
        return any(
            (self.duplicate_rate, self.delay_ms_max, self.reorder_rate, self.fail_rate),
        )

    def as_json(self) -> dict[str, Any]:
        """Every key with its value, and whether it is on."""
        return {"on": self.on, **asdict(self)}


@dataclass(frozen=True)
class Plan:
    """What is done to one event.

    `delays_seconds` has one entry for each time it is delivered. `held_back`: it waits until
    a later event of the same function was delivered. `fail`: how its first delivery fails, if so.
    """

    delays_seconds: tuple[float, ...] = (0.0,)
    held_back: bool = False
    fail: Failure | None = None


def parse(asked: object) -> Chaos:
    """Read a request for chaos; what it leaves out is zero, so `{}` is none.

    Raises:
        BadChaos: it isn't a map, has a key that there isn't, or a value out of range.
    """
    if not isinstance(asked, Mapping):
        raise BadChaos(f"chaos is a {type(asked).__name__}; it must be a map")
    known = [field.name for field in fields(Chaos)]
    for key in asked:
        if key not in known:
            raise BadChaos(f"there is no {str(key)[:40]!r}; there are {', '.join(known)}")
    seed = asked.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise BadChaos(f"seed is {seed!r}; it must be a whole number")
    return Chaos(
        seed=seed,
        duplicate_rate=_number(asked, "duplicate_rate", 1.0),
        delay_ms_max=_number(asked, "delay_ms_max", MAX_DELAY_MS),
        reorder_rate=_number(asked, "reorder_rate", 1.0),
        fail_rate=_number(asked, "fail_rate", 1.0),
    )


def decide(chaos: Chaos, function: str, number: int) -> Plan:
    """What is done to the `number`th event of `function` since chaos began.

    The same three always give the same plan. Events have random ids, and come in an order that
    nobody repeats, so the number stands for the event.
    """
    dice = random.Random(f"{chaos.seed}/{function}/{number}")  # noqa: S311
    # Each is thrown whether or not it counts, so that one rate does not shift another's luck.
    duplicate, reorder, fail, before, *delays = (dice.random() for _ in range(6))
    copies = 2 if duplicate < chaos.duplicate_rate else 1
    kind: Failure = "before" if before < 0.5 else "after"
    return Plan(
        delays_seconds=tuple(delay * chaos.delay_ms_max / 1000 for delay in delays[:copies]),
        held_back=reorder < chaos.reorder_rate,
        fail=kind if fail < chaos.fail_rate else None,
    )


def _number(asked: Mapping[str, Any], key: str, highest: float) -> float:
    value = asked.get(key, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
        raise BadChaos(f"{key} is {value!r}; it must be a number from 0 to {highest:g}")
    return float(value)
