"""Fixtures of the platform conditions: fake flags, and a reset of gRPC's channel functions."""

from __future__ import annotations

import itertools
from typing import Any

import grpc
import pytest

from cloud.platform_conditions.flags import Flags


class FakeFlags:
    """A fake of the Firestore collection with the flags that a test turned on."""

    def __init__(self) -> None:
        self.on: set[str] = set()

    def collection(self, _name: str) -> dict[str, dict[str, Any]]:
        return {name: {"on": {"booleanValue": True}} for name in self.on}


@pytest.fixture
def fake_flags() -> FakeFlags:
    """The flags' documents; none is on at first."""
    return FakeFlags()


@pytest.fixture
def flags(fake_flags: FakeFlags) -> Flags:
    """Flags without caching: the clock advances by a second with each reading."""
    seconds = itertools.count()
    return Flags(fake_flags, lambda: float(next(seconds)))


@pytest.fixture
def channels_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restores gRPC's channel functions after the test."""
    for name in ("insecure_channel", "secure_channel"):
        monkeypatch.setattr(grpc, name, getattr(grpc, name))
