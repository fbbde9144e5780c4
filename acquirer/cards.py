"""Test cards, and the tokens that represent cards."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

# The documented test numbers; every other valid number is approved.
DECLINED = {
    "4000000000000002": "card_declined",
    "4000000000009995": "insufficient_funds",
    "4000000000000069": "expired_card",
}
# Approved after a problem of the processor or the bank; see troubles.py.
TROUBLED = {
    "4000000000005100": "slow_bank",
    "4000000000005209": "late_answer",
    "4000000000005308": "unavailable",
}
# Never charged: the processor refuses the request with this status; see troubles.py.
REFUSED = {
    "4000000000006405": "refused_400",
    "4000000000006421": "refused_402",
    "4000000000006439": "refused_403",
    "4000000000006447": "refused_422",
}
OUTCOMES = {**DECLINED, **TROUBLED, **REFUSED}

_BRANDS = {"3": "amex", "4": "visa", "5": "mastercard"}


class InvalidNumber(Exception):
    """Raised for a value that cannot be a card's number."""


@dataclass(frozen=True)
class Token:
    """A card as a merchant stores it.

    The id is random, except that it names the test card's outcome. The processor therefore does not
    store the number either.
    """

    id: str
    brand: str
    last4: str


def tokenise(number: object) -> Token:
    """Return a token of a card's number, a different one for each call.

    Spaces and hyphens are ignored.

    Raises:
        InvalidNumber: the value is not 13 to 19 digits that pass the Luhn check.
    """
    digits = re.sub(r"[ -]", "", number) if isinstance(number, str) else ""
    if not re.fullmatch(r"[0-9]{13,19}", digits) or not _passes_luhn(digits):
        raise InvalidNumber("That is not a card number. Check the digits and try again.")
    outcome = OUTCOMES.get(digits, "approved")
    # Random: there are so few card numbers that a hash of one can be reversed by trying them all.
    return Token(
        f"tok_{secrets.token_hex(8)}_{outcome}", _BRANDS.get(digits[0], "card"), digits[-4:]
    )


def outcome_of(token: object) -> str | None:
    """Return the outcome of charging `token`, or None for an unknown token.

    The outcome is "approved", a decline code or one of the values of `TROUBLED` and `REFUSED`.
    """
    match = (
        re.fullmatch(r"tok_[0-9a-f]{16}_([a-z0-9_]+)", token) if isinstance(token, str) else None
    )
    known = {"approved", *OUTCOMES.values()}
    return match[1] if match and match[1] in known else None


def decline_code_of(outcome: str | None) -> str | None:
    """Return the decline code of an outcome, or None if the charge succeeds."""
    return outcome if outcome in DECLINED.values() else None


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
