"""The age of a caller's ID token, because its claims are as old as the token.

A custom claim that was added since is missing from it, and one that was removed is still there,
until the caller fetches a new token: after an hour at most. Nothing else of a token is put on a
span.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

ISSUED_AT = "throughline.token.issued_at"
AGE = "throughline.token.age_seconds"


def attributes(token: Mapping[str, Any] | None) -> dict[str, int]:
    """Return when a verified, decoded ID token was issued, and its age.

    Both are in seconds, the first since 1970; empty without a token or its `iat`.
    """
    issued_at = (token or {}).get("iat")
    if not isinstance(issued_at, int):
        return {}
    return {ISSUED_AT: issued_at, AGE: int(time.time()) - issued_at}
