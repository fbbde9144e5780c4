"""Hop 13: from Firebase Auth to the function that welcomes a user, a declared root."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from observatory.client import Observatory
from observatory.schemas.journey import Row
from stack.clients.pseudonym import pseudonym
from tests.addresses import Addresses
from tests.buyer import BoxOffice, Buyer, new_traceparent
from tests.spans import has_spans, one_row, picture


def sign_up(addresses: Addresses, **account: str) -> dict[str, Any]:
    """Create a user as the browser's SDK does; return the claims of the ID token."""
    return sign_up_with_token(addresses, **account)[0]


def sign_up_with_token(addresses: Addresses, **account: str) -> tuple[dict[str, Any], str]:
    """Create a user as the browser's SDK does; return the ID token's claims, and the token."""
    response = httpx.post(
        f"{addresses.auth}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=any",
        json={"returnSecureToken": True, **account},
        timeout=30,
    )
    response.raise_for_status()
    token: str = response.json()["idToken"]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims, token


def welcome_span(observatory: Observatory, addresses: Addresses, uid: str) -> Row:
    """Return the span of the welcome function for a user."""
    wanted = pseudonym(addresses.project, uid)
    for line in observatory.traces(50, service="welcome")["traces"]:
        journey = observatory.trace(line["trace_id"])
        span = one_row(journey, "welcome", "welcome")
        if span["attributes"].get("enduser.pseudo.id") == wanted:
            assert journey["coverage"] == 1.0, picture(journey)
            assert uid not in json.dumps(journey)
            assert "example.org" not in json.dumps(journey)
            return span
    raise AssertionError(f"no trace of welcome is about user {uid}")


def test_a_new_user_is_a_buyer(addresses: Addresses, observatory: Observatory) -> None:
    """The claim is in the user's first token, and the welcome span is a declared root."""
    address = f"{secrets.token_hex(6)}@example.org"
    claims = sign_up(addresses, email=address, password="long enough")
    assert claims["role"] == "buyer"
    span = welcome_span(observatory, addresses, claims["user_id"])
    assert (span["root"], span["hop"], span["context"]) == ("auth", "auth", "absent")
    assert (span["parent_span_id"], span["carrier"], span["error"]) == (None, None, False)


@pytest.mark.parametrize("address", ["organiser@example.org.evil.test", "x-organiser@example.org"])
def test_only_the_organisers_exact_address_makes_an_organiser(
    addresses: Addresses, address: str
) -> None:
    account = f"{secrets.token_hex(4)}{address}"
    assert sign_up(addresses, email=account, password="long enough")["role"] == "buyer"


def test_the_seeded_organiser_has_the_role(organiser: Buyer) -> None:
    payload = organiser.token.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["role"] == "organiser"


def test_a_users_later_call_links_to_their_welcome(
    addresses: Addresses, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """The user's token carries the context of the welcome; the call has its own trace."""
    account = {"email": f"{secrets.token_hex(6)}@example.org", "password": "long enough"}
    claims, token = sign_up_with_token(addresses, **account)
    span = welcome_span(observatory, addresses, claims["user_id"])
    traceparent = new_traceparent()
    response = httpx.post(
        f"{addresses.functions}/{addresses.project}/us-central1/quote",
        json={"data": {"show_id": open_show(seats=1), "seats": 1}},
        headers={"Authorization": f"Bearer {token}", "traceparent": traceparent},
        timeout=30,
    )
    assert response.status_code == 200, response.text
    journey = observatory.wait_for_trace(traceparent.split("-")[1], has_spans(("quote", "quote")))
    (link,) = one_row(journey, "quote", "quote")["links"]
    assert (link["span_id"], link["stored"]) == (span["span_id"], True)
    assert link["attributes"] == {"throughline.link": "user"}


def test_an_order_has_the_same_pseudonym_as_its_buyers_welcome(
    buyer: Buyer,
    addresses: Addresses,
    observatory: Observatory,
    open_show: Callable[..., str],
    box_office: BoxOffice,
) -> None:
    """No carrier takes the trace context from the user's creation to the order."""
    traceparent = new_traceparent()
    order_id = buyer.place(show_id=open_show(seats=0), _trace={"traceparent": traceparent})
    box_office.wait_for(order_id)
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1], has_spans(("reserve", "reserve"))
    )
    attributes = one_row(journey, "reserve", "reserve")["attributes"]
    assert attributes["enduser.pseudo.id"] == pseudonym(addresses.project, buyer.uid)
