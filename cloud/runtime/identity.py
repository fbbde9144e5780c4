"""Issues and verifies the identity tokens with which Google's services call private functions.

Production's tokens are signed by Google, and the front end verifies them against Google's keys:
https://docs.cloud.google.com/run/docs/authenticating/service-to-service. Here one process issues
and verifies them, so a random key of this process takes the place of Google's.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping

import jwt

from cloud.deployment.deployed import PUBLIC

ISSUER = "https://accounts.google.com"
LIFETIME_SECONDS = 3600


class Identity:
    """The identity tokens of one running deployment."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, account: str, audience: str) -> str:
        """Return a token that proves to `audience` that the caller is a service account."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "email": account,
            "email_verified": True,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    def refusal(
        self, headers: Mapping[str, str], audiences: Collection[str], invokers: Collection[str]
    ) -> int | None:
        """Return the status with which the front end refuses a request; None: it may pass.

        A private function answers 401 for a token that is not valid for one of its addresses, and
        403 for a missing token or one of an account that may not invoke it.
        """
        if PUBLIC in invokers:
            return None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return 403
        try:
            claims = jwt.decode(
                token, self._key, algorithms=["HS256"], audience=list(audiences), issuer=ISSUER
            )
        except jwt.InvalidTokenError:
            return 401
        return None if f"serviceAccount:{claims.get('email')}" in invokers else 403
