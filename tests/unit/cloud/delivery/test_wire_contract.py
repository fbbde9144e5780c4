"""Tests that delivery and the functions use the same header and attribute names."""

from __future__ import annotations

from pathlib import Path

from cloud.delivery import event
from throughline import attempt

README = Path(event.__file__).with_name("README.md").read_text()


def test_both_sides_use_the_same_names() -> None:
    """Each side has its own copy, so that neither imports the other."""
    assert event.ATTEMPT_HEADER == attempt.ATTEMPT_HEADER
    assert event.FIRST_ATTEMPT_HEADER == attempt.FIRST_ATTEMPT_HEADER
    assert event.ATTEMPT_ATTRIBUTE == attempt.ATTRIBUTE


def test_the_readme_documents_every_header_and_attribute() -> None:
    names = (event.ATTEMPT_HEADER, event.FIRST_ATTEMPT_HEADER, event.FAIL_HEADER)
    assert [name for name in (*names, event.ATTEMPT_ATTRIBUTE) if f"`{name}`" not in README] == []
