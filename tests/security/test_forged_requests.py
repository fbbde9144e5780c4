"""Makes every request of the table, and checks the decision of the emulator's rules engine."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from stack import paths
from tests.security.forged_requests import STORED, ForgedRequest, forged_requests, token
from tests.security.lone_firestore import LoneFirestore, Outcome

RULES = (paths.ROOT / "rules" / "firestore.rules").read_text()
TABLE = forged_requests()


@pytest.fixture(scope="module")
def outcomes(firestore_emulator: LoneFirestore) -> Mapping[str, Outcome]:
    """Make every request of the table, and return its outcome by its name."""
    firestore_emulator.load_rules(RULES)
    firestore_emulator.reset(STORED)
    calls = [(row.call, token(row.client)) for row in TABLE]
    names = (row.name for row in TABLE)
    return dict(zip(names, firestore_emulator.outcomes(calls), strict=True))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_the_rules_decide_as_the_table_says(
    outcomes: Mapping[str, Outcome], row: ForgedRequest
) -> None:
    """The request is allowed, or denied for the expected kind of reason."""
    assert outcomes[row.name] is row.expected


def test_the_legal_requests_evaluate_every_expression_of_the_rules(
    firestore_emulator: LoneFirestore,
) -> None:
    """Each expression of the rules has a value in some allowed request of the table.

    Only allowed requests are made, because the report repeats the request with each value.
    """
    firestore_emulator.load_rules(RULES)
    firestore_emulator.reset(STORED)
    legal = [row for row in TABLE if row.expected is Outcome.ALLOWED]
    firestore_emulator.outcomes([(row.call, token(row.client)) for row in legal])
    expressions = [node for root in firestore_emulator.coverage() for node in root.walk()]
    assert len(expressions) > 100
    assert [
        f"{node.line}: {RULES[node.start : node.end]}"
        for node in expressions
        if not any(value and "undefined" not in value for value in node.values)
    ] == []
