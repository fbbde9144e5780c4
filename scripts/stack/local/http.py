"""Checks whether a service is up."""

from __future__ import annotations

import urllib.error
import urllib.request


def answers(url: str) -> bool:
    """Return whether a GET of `url` succeeds within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310
            return True
    except (OSError, urllib.error.URLError):
        return False
