"""Fixtures of the functions' tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from throughline import carrier


class _Every(dict[str, re.Pattern[str]]):
    """A mapping that allows every baggage key with any value."""

    def get(self, _key: str, _default: Any = None) -> re.Pattern[str]:
        return re.compile(".*", re.DOTALL)


@pytest.fixture(scope="session", autouse=True)
def _allow_any_baggage() -> Iterator[None]:
    """Allow every baggage key; tests of the allow-list set their own."""
    listed = carrier._allowed_keys
    carrier._allowed_keys = _Every()
    yield
    carrier._allowed_keys = listed
