"""Mutation tests of the rules: without any one of their conditions, a row of the table fails."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stack import paths
from tests.security.forged_requests import STORED, ForgedRequest, forged_requests, token
from tests.security.lone_firestore import LoneFirestore, Outcome
from tests.security.rules_mutants import Mutant, mutants

RULES = (paths.ROOT / "rules" / "firestore.rules").read_text()
TABLE = forged_requests()
# The number of rows between checks whether the mutant has been detected.
ROWS_AT_A_TIME = 16


def killer(firestore: LoneFirestore, mutant: Mutant) -> str | None:
    """Return the name of a row whose outcome the mutant changes; None if no row's does."""
    firestore.load_rules(mutant.source)
    firestore.reset(STORED)
    for rows in _in_chunks(_nearest_first(mutant)):
        calls = [(row.call, token(row.client)) for row in rows]
        for row, outcome in zip(rows, firestore.outcomes(calls), strict=True):
            if outcome is not row.expected:
                return row.name
    return None


def _nearest_first(mutant: Mutant) -> list[ForgedRequest]:
    """Return the rows of the table, those first that are most likely to detect the mutant.

    They are the allowed rows if the mutant is stricter, else the denied ones; among them, first
    those whose names share most words with the mutant.
    """
    words = mutant.words()
    stricter = mutant.replacement in ("false", "")

    def distance(row: ForgedRequest) -> tuple[bool, int]:
        return (
            (row.expected is Outcome.ALLOWED) != stricter,
            -sum(word in row.name for word in words),
        )

    return sorted(TABLE, key=distance)


def _in_chunks(rows: Sequence[ForgedRequest]) -> list[Sequence[ForgedRequest]]:
    return [rows[at : at + ROWS_AT_A_TIME] for at in range(0, len(rows), ROWS_AT_A_TIME)]


def all_mutants(firestore: LoneFirestore) -> list[Mutant]:
    """Return every mutant of the app's rules."""
    firestore.load_rules(RULES)
    return mutants(RULES, firestore.coverage())


@pytest.mark.parametrize(
    ("original", "replacement"),
    [
        ("request.resource.data.uid == request.auth.uid", "true"),
        ("resource.data.uid == request.auth.uid", "true"),
        ("id.matches('[A-Za-z0-9-]{1,64}')", "true"),
        ("value.matches('[ -~]*')", "true"),
        ("order.state == 'placed'", "true"),
        ("order.placed_at == request.time", "true"),
        ("hasNotBegun(request.resource.data.show_id)", "true"),
        ("isNotedAsLatest(order)", "true"),
        ("note.get('last_order_at', null) == request.time", "true"),
        ("resource.data.last_order_at + duration.value(2, 's') <= request.time", "true"),
        ("create", "write"),
        ("<=", "<"),
    ],
)
def test_the_table_kills_a_mutant(
    firestore_emulator: LoneFirestore, original: str, replacement: str
) -> None:
    """Each of these mutants would open the database; a long test runs all mutants."""
    chosen = [
        mutant
        for mutant in all_mutants(firestore_emulator)
        if (mutant.original, mutant.replacement) == (original, replacement)
    ]
    assert chosen
    assert killer(firestore_emulator, chosen[0])


@pytest.mark.long
def test_the_table_kills_every_mutant(
    firestore_emulator: LoneFirestore, capsys: pytest.CaptureFixture[str]
) -> None:
    """No condition can be dropped, negated or changed by one without a failing row.

    The numbers are printed even if the test passes.
    """
    candidates = all_mutants(firestore_emulator)
    assert len(candidates) > 150
    survivors = [str(mutant) for mutant in candidates if not killer(firestore_emulator, mutant)]
    with capsys.disabled():
        killed = len(candidates) - len(survivors)
        print(f"\n{killed} of {len(candidates)} mutants of the rules were killed")
    assert survivors == []
