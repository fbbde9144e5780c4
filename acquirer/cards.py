"""Test cards, and tokens that stand for them."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

# What each documented test number does; every other valid number is approved.
DECLINED = {
    "4000000000000002": "card_declined",
    "4000000000009995": "insufficient_funds",
    "4000000000000069": "expired_card",
}
# Approved, but not without trouble; see troubles.py.
TROUBLED = {
    "4000000000005100": "slow_bank",
    "4000000000005209": "late_answer",
    "4000000000005308": "unavailable",
}
OUTCOMES = {**DECLINED, **TROUBLED}

_BRANDS = {"3": "amex", "4": "visa", "5": "mastercard"}


class InvalidNumber(Exception):
    """Raised for something that can't be a card's number."""


@dataclass(frozen=True)
class Token:
    """What a merchant holds instead of a card. Its id says nothing of the number, but names what
    the test card does, so that the processor need not keep the number either."""

    id: str
    brand: str
    last4: str


def tokenise(number: object) -> Token:
    """Turn a card's number into a token, a different one each time.

    Raises:
        InvalidNumber: it isn't 13 to 19 digits that pass the Luhn check.
    """
    digits = re.sub(r"[ -]", "", number) if isinstance(number, str) else ""
    if not re.fullmatch(r"[0-9]{13,19}", digits) or not _passes_luhn(digits):
        raise InvalidNumber("That is not a card number. Check the digits and try again.")
    outcome = OUTCOMES.get(digits, "approved")
    # Random: anybody could find a number from its hash, because there are few numbers to try.
    return Token(
        f"tok_{secrets.token_hex(8)}_{outcome}", _BRANDS.get(digits[0], "card"), digits[-4:]
    )


def outcome_of(token: object) -> str | None:
    """What charging `token` leads to: "approved", a decline code, a trouble, or None where it is
    no token of ours."""
    match = re.fullmatch(r"tok_[0-9a-f]{16}_([a-z_]+)", token) if isinstance(token, str) else None
    known = {"approved", *OUTCOMES.values()}
    return match[1] if match and match[1] in known else None


def decline_code_of(outcome: str | None) -> str | None:
    """Why a card of that outcome is declined; None where it isn't."""
    return outcome if outcome in DECLINED.values() else None


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
