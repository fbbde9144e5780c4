"""A stand-in for the flags, and gRPC's channels as they were once a test is over."""

from __future__ import annotations

import itertools
from typing import Any

import grpc
import pytest

from cloud.platform_conditions.flags import Flags


class Switches:
    """The names of the flags that a test turned on."""

    def __init__(self) -> None:
        self.on: set[str] = set()

    def collection(self, _name: str) -> dict[str, dict[str, Any]]:
        return {name: {"on": {"booleanValue": True}} for name in self.on}


@pytest.fixture
def switches() -> Switches:
    """What is on; nothing at first."""
    return Switches()


@pytest.fixture
def flags(switches: Switches) -> Flags:
    """Flags that are read each time they are asked for: a second passes between any two looks."""
    seconds = itertools.count()
    return Flags(switches, lambda: float(next(seconds)))


@pytest.fixture
def channels_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """gRPC makes its channels as before once the test is over."""
    for name in ("insecure_channel", "secure_channel"):
        monkeypatch.setattr(grpc, name, getattr(grpc, name))
