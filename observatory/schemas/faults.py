"""Bugs on purpose, and which of them are on."""

from typing import Literal

from typing_extensions import TypedDict


class Fault(TypedDict):
    """One bug on purpose.

    ``on`` is null where nobody knows: its flag can't be read, or it has none because it is on where
    the app's page is opened at ``link``. ``scenarios`` are those that provoke it.
    """

    name: str
    kind: str
    where: str
    summary: str
    scenarios: list[str]
    on: bool | None
    link: str | None


class Faults(TypedDict):
    """Every fault, in the order of the app's catalogue.

    ``connected``: the Observatory was told of an app's faults; else the list is empty.
    ``unreachable`` says why the flags can't be read; null when they can.
    """

    connected: bool
    unreachable: str | None
    faults: list[Fault]


class Turn(TypedDict):
    """Whether a fault is to be on."""

    on: bool


class AllOff(TypedDict):
    """That no fault is to be on."""

    on: Literal[False]
