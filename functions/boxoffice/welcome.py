"""Welcome: gives a new user the role that rules and functions go by."""

from __future__ import annotations

from firebase_functions import identity_fn

import settings
import throughline
from boxoffice import enduser


@identity_fn.before_user_created()
@throughline.on_auth
def welcome(event: identity_fn.AuthBlockingEvent) -> identity_fn.BeforeCreateResponse:
    """Make the user an organiser or a buyer, for good, by the custom claim `role`."""
    enduser.put_on_span(event.data.uid)
    return identity_fn.BeforeCreateResponse(
        custom_claims={"role": role_of(event.data), **throughline.user_claim()}
    )


def role_of(user: identity_fn.AuthUserRecord) -> str:
    """ "organiser" for an address of the setting ORGANISER_EMAILS that is the user's, else "buyer".

    In production the address has to be verified by then, as it is where somebody else than us signs
    them in (Google, say): whoever came first could give any address with a password of their own.
    The emulator knows no inbox, so there every address counts.
    """
    address = (user.email or "").strip().lower()
    proven = bool(user.email_verified) or settings.is_emulated()
    return "organiser" if proven and address in settings.organiser_emails() else "buyer"
