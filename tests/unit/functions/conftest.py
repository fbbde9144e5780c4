"""How the functions' tests run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from throughline import carrier


class _Every(dict[str, re.Pattern[str]]):
    """Every key of baggage, with any value."""

    def get(self, _key: str, _default: Any = None) -> re.Pattern[str]:
        return re.compile(".*", re.DOTALL)


@pytest.fixture(scope="session", autouse=True)
def _any_baggage_crosses() -> Iterator[None]:
    """Let the tests send what baggage they like; the ones about the allow-list set their own."""
    listed = carrier._passed_on
    carrier._passed_on = _Every()
    yield
    carrier._passed_on = listed
