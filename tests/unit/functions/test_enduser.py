"""Spans have a pseudonym in place of the user's id."""

from __future__ import annotations

import hashlib

import pytest

import settings
from boxoffice import enduser


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FUNCTIONS_EMULATOR", raising=False)
    monkeypatch.setenv("GCLOUD_PROJECT", "box-office-prod")
    monkeypatch.setenv("K_SERVICE", "reserve")


def test_a_pseudonym_depends_on_the_secret_salt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With only the public project id, anyone could test uids against a pseudonym."""
    monkeypatch.setenv("PSEUDONYM_SALT", "one")
    one = enduser.pseudonym("uid")
    monkeypatch.setenv("PSEUDONYM_SALT", "two")
    assert enduser.pseudonym("uid") != one
    assert one != hashlib.sha256(b"box-office-produid").hexdigest()[:16]


def test_a_deployed_function_without_a_salt_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the setting; no public default is used."""
    monkeypatch.delenv("PSEUDONYM_SALT", raising=False)
    with pytest.raises(settings.SettingError, match="PSEUDONYM_SALT is not set"):
        enduser.pseudonym("uid")


def test_the_emulators_pseudonym_equals_the_rules_monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the emulator, both derive it from the project id."""
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    assert enduser.pseudonym("uid") == hashlib.sha256(b"box-office-produid").hexdigest()[:16]
