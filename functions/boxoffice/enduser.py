"""Identifies the user on spans by a pseudonym."""

from __future__ import annotations

import hashlib

from opentelemetry import trace

import settings


def pseudonym(uid: str) -> str:
    """Return the user's pseudonym in this project: 16 hexadecimal digits of a SHA-256 digest.

    It is the same in every trace, so it connects traces that have no link, such as the user's
    creation and their orders. The security rules' monitor in the Observatory computes the same
    value; it runs outside this deployment and cannot import this function.
    """
    return hashlib.sha256(f"{settings.pseudonym_salt()}{uid}".encode()).hexdigest()[:16]


def attributes(uid: object) -> dict[str, str]:
    """Return the user's pseudonym as an attribute; nothing, if `uid` is no user's id."""
    return {"enduser.pseudo.id": pseudonym(uid)} if isinstance(uid, str) and uid else {}


def set_on_span(uid: object) -> None:
    """Set the user's pseudonym on the current span, if `uid` is a user's id."""
    trace.get_current_span().set_attributes(attributes(uid))
