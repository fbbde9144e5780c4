"""Makes a user an organiser, where no blocking function does it when the user signs up."""

from __future__ import annotations

import json

from stack.deploy.google_api import GoogleApi
from stack.errors import UserError

CLAIM, ROLE = "role", "organiser"


def make_organiser(google: GoogleApi, email: str) -> None:
    """Set the role claim of the user with this e-mail address, and keep the user's other claims.

    Raises:
        UserError: there is no such user, or the address is not verified.
    """
    accounts = f"/v1/projects/{google.project}/accounts"
    users = google.post("identity", f"{accounts}:lookup", {"email": [email]}).get("users", [])
    if not users:
        raise UserError(
            f"Nobody has signed up with {email}.",
            hint="Add the user in the Firebase console, under Authentication, Users.",
        )
    user = users[0]
    if not user.get("emailVerified"):
        # Anyone can sign up with the address of an organiser.
        raise UserError(
            f"The address {email} is not verified.",
            hint="Let the owner confirm it, or sign in with Google.",
        )
    claims = json.loads(user.get("customAttributes") or "{}")
    body = {"localId": user["localId"], "customAttributes": json.dumps({**claims, CLAIM: ROLE})}
    google.post("identity", f"{accounts}:update", body)
