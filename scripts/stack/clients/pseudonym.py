"""The pseudonym under which spans name a user."""

from __future__ import annotations

import hashlib


def pseudonym(project_id: str, uid: str) -> str:
    """Return a user's `enduser.pseudo.id` in a project: 16 hexadecimal digits.

    This repeats functions/boxoffice/enduser.py: the scripts and the tests check the
    deployed code, so they must not import it.
    """
    return hashlib.sha256(f"{project_id}{uid}".encode()).hexdigest()[:16]
