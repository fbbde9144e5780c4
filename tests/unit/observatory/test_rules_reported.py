"""The deciding line of accesses whose rules use constructs of public bug reports."""

from __future__ import annotations

import pytest

from observatory.rules_monitor.decision import basis_of
from tests.unit.observatory.reported_rules import ACCESSES, RULES, Access
from tests.unit.observatory.rules_messages import evaluation, message


@pytest.mark.parametrize("access", ACCESSES, ids=lambda access: access.id)
def test_the_deciding_line_is_found(access: Access, recwarn: pytest.WarningsRecorder) -> None:
    """Recursive wildcards, RE2 classes, map diffs and CEL's equality are evaluated as specified."""
    raw = message(
        "allow" if access.allowed else "deny",
        access.method,
        access.path,
        attempted=access.attempted,
        stored=access.stored,
        looked_up=access.stored is None,
        allows=[(line, access.allowed) for line in access.allow_lines],
        uid=access.uid,
        rules=RULES,
    )
    assert basis_of(evaluation(raw)).lines == access.lines
    assert not recwarn.list
