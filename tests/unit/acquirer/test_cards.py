"""Card numbers and the tokens that represent them."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cards

TEST_CARDS = {
    "4242424242424242": "approved",
    "4000000000000002": "card_declined",
    "4000000000009995": "insufficient_funds",
    "4000000000000069": "expired_card",
    "4000000000005100": "slow_bank",
    "4000000000005209": "late_answer",
    "4000000000005308": "unavailable",
    "4000000000006405": "refused_400",
    "4000000000006421": "refused_402",
    "4000000000006439": "refused_403",
    "4000000000006447": "refused_422",
}


def with_check_digit(digits: str) -> str:
    """Return `digits` with the check digit that passes the Luhn check."""
    doubled = [int(d) * (2 if at % 2 == 0 else 1) for at, d in enumerate(reversed(digits))]
    return digits + str(-sum(d // 10 + d % 10 for d in doubled) % 10)


@pytest.mark.parametrize(("number", "outcome"), TEST_CARDS.items())
def test_a_test_cards_token_has_the_documented_outcome(number: str, outcome: str) -> None:
    token = cards.tokenise(number)
    assert cards.outcome_of(token.id) == outcome
    assert (token.brand, token.last4) == ("visa", number[-4:])


@given(st.text("0123456789", min_size=12, max_size=18))
def test_exactly_one_check_digit_makes_a_valid_number(digits: str) -> None:
    valid_number = with_check_digit(digits)
    for last in "0123456789":
        number = digits + last
        if number == valid_number:
            assert cards.outcome_of(cards.tokenise(number).id) is not None
        else:
            with pytest.raises(cards.InvalidNumber):
                cards.tokenise(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "4242",
        with_check_digit("4" * 11),
        with_check_digit("4" * 19),
        "4242424242424241",
        "4242424242424242\n",
        "4242.4242.4242.4242",
        "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
        None,
        4242424242424242,
        ["4242424242424242"],
        {},
    ],
    ids=repr,
)
def test_an_invalid_number_is_refused(number: object) -> None:
    """It is too short, too long, mistyped or not a string. The message addresses the cardholder."""
    with pytest.raises(cards.InvalidNumber, match="Check the digits"):
        cards.tokenise(number)


@given(st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text())))
def test_arbitrary_input_gives_a_token_or_invalid_number(number: object) -> None:
    """No other exception is raised."""
    with contextlib.suppress(cards.InvalidNumber):
        assert cards.tokenise(number).id.startswith("tok_")


def test_a_number_may_be_written_in_groups() -> None:
    """Spaces and hyphens are ignored: it is the same card."""
    for number in ("4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242"):
        token = cards.tokenise(number)
        assert (token.brand, token.last4) == ("visa", "4242")
        assert cards.outcome_of(token.id) == "approved"


@pytest.mark.parametrize(
    ("number", "brand"),
    [("378282246310005", "amex"), ("5555555555554444", "mastercard"), ("6011111111111117", "card")],
)
def test_the_first_digit_determines_the_brand(number: str, brand: str) -> None:
    """An unknown brand is "card"."""
    assert cards.tokenise(number).brand == brand


@given(st.text("0123456789", min_size=12, max_size=18).map(with_check_digit))
def test_a_token_passes_the_security_rules_and_hides_the_number(number: str) -> None:
    """It has the form that firestore.rules requires, and does not contain the digits."""
    token = cards.tokenise(number)
    assert re.fullmatch(r"tok_[A-Za-z0-9_]{8,64}", token.id)
    assert number not in token.id
    assert cards.tokenise(number).id != token.id


@pytest.mark.parametrize(
    "token",
    [
        "",
        "tok_",
        "tok_0000000000000000_",
        "tok_0000000000000000_made_up",
        "tok_000000000000000_approved",
        "tok_000000000000000g_approved",
        "tok_0000000000000000_approved\n",
        " tok_0000000000000000_approved",
        "4242424242424242",
        None,
        7,
        ["tok_0000000000000000_approved"],
    ],
    ids=repr,
)
def test_an_unknown_token_has_no_outcome(token: object) -> None:
    """A charge of such a token is refused."""
    assert cards.outcome_of(token) is None
