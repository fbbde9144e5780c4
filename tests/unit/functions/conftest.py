"""Fixtures of the functions' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from throughline import carrier


class _Every(set[str]):
    """A set that contains every baggage key."""

    def __contains__(self, _key: object) -> bool:
        return True


@pytest.fixture(scope="session", autouse=True)
def _allow_any_baggage() -> Iterator[None]:
    """Allow every baggage key; tests of the allow-list set their own."""
    listed = carrier._allowed_keys
    carrier._allowed_keys = _Every()
    yield
    carrier._allowed_keys = listed
