"""How old the ID token is that a caller shows: what it says of them was true when it was issued.

A custom claim that was given since is not in it, and one that was taken away still is, until the
caller fetches a new one: an hour at most. Nothing else of a token is put on a span.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

ISSUED_AT = "throughline.token.issued_at"
AGE = "throughline.token.age_seconds"


def attributes(token: Mapping[str, Any] | None) -> dict[str, int]:
    """When this verified, decoded ID token was issued, in seconds since 1970, and how many ago."""
    issued_at = (token or {}).get("iat")
    if not isinstance(issued_at, int):
        return {}
    return {ISSUED_AT: issued_at, AGE: int(time.time()) - issued_at}
