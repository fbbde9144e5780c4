"""Faults of boxoffice/acquirer.py."""

from __future__ import annotations

from faults.fault import replaces


@replaces("boxoffice.acquirer:retry_key", flag="new-key-each-try", kind="vendor")
def retry_key(key: str) -> str:
    """Tries again under a new key where the card processor did not answer in time.

    No answer in time says nothing about whether the processor did what it was asked.
    """
    return f"{key}-again"


@replaces("boxoffice.acquirer:pauses_seconds", flag="hammers-the-vendor", kind="retries")
def pauses_seconds() -> tuple[float, ...]:
    """Tries forty times without a pause where the card processor fails.

    The platform delivers the message again too. Retries in two layers multiply, and a vendor that
    is down stays down under them.
    """
    return (0.0,) * 40
