"""Mutation tests of the rules: without any one of their conditions the table turns red."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stack import paths
from tests.security.forged_requests import STORED, ForgedRequest, forged_requests, token
from tests.security.lone_firestore import LoneFirestore, Outcome
from tests.security.rules_mutants import Mutant, mutants

RULES = (paths.ROOT / "rules" / "firestore.rules").read_text()
TABLE = forged_requests()
# Between looks at whether the mutant is dead.
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
    """Return the table, the rows first that are likeliest to notice the mutant.

    Those are the rows that a stricter rule keeps out, or that a laxer one lets in; among them those
    whose names share most words with the mutant.
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
    """Each of these is a way into the database; the whole campaign is a long test."""
    chosen = [
        mutant
        for mutant in all_mutants(firestore_emulator)
        if (mutant.original, mutant.replacement) == (original, replacement)
    ]
    assert chosen
    assert killer(firestore_emulator, chosen[0])


@pytest.mark.long
def test_the_table_kills_every_mutant(firestore_emulator: LoneFirestore) -> None:
    """No condition of the rules can be dropped, turned round or moved by one unnoticed."""
    candidates = all_mutants(firestore_emulator)
    assert len(candidates) > 150
    survivors = [str(mutant) for mutant in candidates if not killer(firestore_emulator, mutant)]
    assert survivors == []
