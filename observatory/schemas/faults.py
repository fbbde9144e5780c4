"""The faults of the observed app, and which of them are on."""

from typing import Literal

from typing_extensions import TypedDict


class Fault(TypedDict):
    """A fault: a bug that the observed app has on purpose, behind a feature flag.

    ``on`` is null when the state is unknown: the flag cannot be read, or the fault has no flag and
    is turned on by opening the app's page at ``link``. ``scenarios`` are those that provoke it.
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

    ``connected``: the Observatory was started with an app's fault catalogue; otherwise the list is
    empty. ``unreachable`` is why the flags cannot be read; null when they can.
    """

    connected: bool
    unreachable: str | None
    faults: list[Fault]


class FaultState(TypedDict):
    """The state to set a fault's flag to."""

    on: bool


class AllFaultsOff(TypedDict):
    """A request to turn every fault off."""

    on: Literal[False]
