"""The pseudonym that spans show instead of a user's id."""

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


def test_the_public_project_id_does_not_lead_from_a_pseudonym_to_the_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A uid could else be tried against it by anybody."""
    monkeypatch.setenv("PSEUDONYM_SALT", "one")
    one = enduser.pseudonym("uid")
    monkeypatch.setenv("PSEUDONYM_SALT", "two")
    assert enduser.pseudonym("uid") != one
    assert one != hashlib.sha256(b"box-office-produid").hexdigest()[:16]


def test_a_deployed_function_without_a_salt_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than use a public one."""
    monkeypatch.delenv("PSEUDONYM_SALT", raising=False)
    with pytest.raises(settings.SettingError, match="PSEUDONYM_SALT is not set"):
        enduser.pseudonym("uid")


def test_the_emulators_pseudonym_is_the_rules_monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the same on its spans, without a setting."""
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    assert enduser.pseudonym("uid") == hashlib.sha256(b"box-office-produid").hexdigest()[:16]
