"""Who a span is about, without saying who."""

from __future__ import annotations

import hashlib

from opentelemetry import trace

import settings


def pseudonym(uid: str) -> str:
    """16 hexadecimal digits that stand for a user of this project, and lead nobody back to them.

    Traces that nothing else ties together, as that of the user's creation and those of their
    orders, have it in common.
    """
    return hashlib.sha256(f"{settings.pseudonym_salt()}{uid}".encode()).hexdigest()[:16]


def put_on_span(uid: object) -> None:
    """Say on the current span who it is about."""
    if isinstance(uid, str) and uid:
        trace.get_current_span().set_attribute("enduser.pseudo.id", pseudonym(uid))
