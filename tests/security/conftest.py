"""A Firestore emulator without a stack around it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.security import lone_firestore
from tests.security.lone_firestore import LoneFirestore


@pytest.fixture(scope="session")
def firestore_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneFirestore]:
    """Run one emulator for all tests that need it."""
    log = tmp_path_factory.mktemp("firestore") / "emulator.log"
    with lone_firestore.running(log) as firestore:
        yield firestore
