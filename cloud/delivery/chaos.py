"""Chooses delivery faults to inject, from a seed so that a run can be repeated. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Failure = Literal["before", "after"]

MAX_DELAY_MS = 60_000.0


class BadChaos(Exception):
    """A request for chaos is invalid; the message names the key and the value."""


@dataclass(frozen=True)
class Chaos:
    """How often each delivery fault is injected; chaos is off when all rates are zero.

    The rates are shares of first deliveries, from 0 to 1. Of those that fail, half fail before the
    function runs and half after it, when its work is done but not acknowledged.
    """

    seed: int = 0
    duplicate_rate: float = 0.0
    delay_ms_max: float = 0.0
    reorder_rate: float = 0.0
    fail_rate: float = 0.0

    @property
    def on(self) -> bool:
        """Return whether any fault is injected."""
        return any(
            (self.duplicate_rate, self.delay_ms_max, self.reorder_rate, self.fail_rate),
        )

    def as_json(self) -> dict[str, Any]:
        """Return every key with its value, and whether chaos is on."""
        return {"on": self.on, **asdict(self)}


@dataclass(frozen=True)
class Plan:
    """The faults injected for one event.

    Attributes:
        delays_seconds: one delay for each copy of the event.
        held_back: whether delivery waits until a later event of the same function was delivered.
        fail: whether the first delivery fails before or after the function runs; None: neither.
    """

    delays_seconds: tuple[float, ...] = (0.0,)
    held_back: bool = False
    fail: Failure | None = None


def parse(request: object) -> Chaos:
    """Parse a request for chaos; missing keys are zero, so `{}` turns chaos off.

    Raises:
        BadChaos: the request is not a map, or has an unknown key or a value out of range.
    """
    if not isinstance(request, Mapping):
        raise BadChaos(f"chaos is a {type(request).__name__}; it must be a map")
    known = [field.name for field in fields(Chaos)]
    for key in request:
        if key not in known:
            raise BadChaos(f"unknown key {str(key)[:40]!r}; the keys are {', '.join(known)}")
    seed = request.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise BadChaos(f"seed is {seed!r}; it must be a whole number")
    return Chaos(
        seed=seed,
        duplicate_rate=_number(request, "duplicate_rate", 1.0),
        delay_ms_max=_number(request, "delay_ms_max", MAX_DELAY_MS),
        reorder_rate=_number(request, "reorder_rate", 1.0),
        fail_rate=_number(request, "fail_rate", 1.0),
    )


def decide(chaos: Chaos, function: str, number: int) -> Plan:
    """Return the faults to inject for the `number`th event of `function` since chaos began.

    The same arguments always give the same plan. Event ids are random and the order of events is
    not repeatable, so the event is identified by its number.
    """
    generator = random.Random(f"{chaos.seed}/{function}/{number}")  # noqa: S311
    # Always draw all numbers, so that changing one rate does not change what another selects.
    duplicate, reorder, fail, before, *delays = (generator.random() for _ in range(6))
    copies = 2 if duplicate < chaos.duplicate_rate else 1
    kind: Failure = "before" if before < 0.5 else "after"
    return Plan(
        delays_seconds=tuple(delay * chaos.delay_ms_max / 1000 for delay in delays[:copies]),
        held_back=reorder < chaos.reorder_rate,
        fail=kind if fail < chaos.fail_rate else None,
    )


def _number(request: Mapping[str, Any], key: str, highest: float) -> float:
    value = request.get(key, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
        raise BadChaos(f"{key} is {value!r}; it must be a number from 0 to {highest:g}")
    return float(value)
