"""Faults of boxoffice/acquirer.py."""

from __future__ import annotations

from faults.fault import replaces


@replaces("boxoffice.acquirer:retry_key", flag="new-key-each-try", kind="vendor")
def retry_key(key: str) -> str:
    """Retries under a new idempotency key when the card processor does not answer in time.

    A timeout does not tell whether the processor carried out the request.
    """
    return f"{key}-again"


@replaces("boxoffice.acquirer:pauses_seconds", flag="hammers-the-vendor", kind="retries")
def pauses_seconds() -> tuple[float, ...]:
    """Tries forty times without a pause when the card processor fails.

    The platform retries the message too. Retries in two layers multiply, and they keep a vendor
    down that would otherwise recover.
    """
    return (0.0,) * 40
