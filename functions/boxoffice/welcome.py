"""Welcome: sets a new user's role claim, which security rules and functions check."""

from __future__ import annotations

from firebase_functions import identity_fn
from opentelemetry import trace

import function_options
import settings
import throughline
from boxoffice import enduser


@identity_fn.before_user_created(**function_options.WELCOME)
@throughline.on_auth
def welcome(event: identity_fn.AuthBlockingEvent) -> identity_fn.BeforeCreateResponse:
    """Make the user an organiser or a buyer by the custom claim `role`."""
    role = role_of(event.data)
    trace.get_current_span().set_attributes(
        {"boxoffice.user.role": role, **enduser.attributes(event.data.uid)}
    )
    return identity_fn.BeforeCreateResponse(
        custom_claims={"role": role, **throughline.user_claim()}
    )


def role_of(user: identity_fn.AuthUserRecord) -> str:
    """Return "organiser" if the user's e-mail address is in ORGANISER_EMAILS, else "buyer".

    In production the address must already be verified, as it is after a sign-in with Google:
    anyone could sign up with an organiser's address and a password. The emulator sends no e-mail,
    so there every address counts as verified.
    """
    address = (user.email or "").strip().lower()
    verified = bool(user.email_verified) or settings.is_emulated()
    return "organiser" if verified and address in settings.organiser_emails() else "buyer"
