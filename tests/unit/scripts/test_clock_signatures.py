"""Tests that the signatures of related failures match only their own traces."""

from __future__ import annotations

from typing import Any

import pytest

from observatory.schemas.journey import Journey, Row
from stack.scenarios import missing_index, offline_write, stale_claim, wrong_clock
from tests.unit.scripts.journeys import BEGAN_UNIX_NANO, journey, row

BEGAN = BEGAN_UNIX_NANO / 1e9
HOURS = 3_600_000.0


def with_attributes(span: Row, **attributes: Any) -> Row:
    """Add attributes to a span, and return it; double underscores in a name become dots."""
    dotted = {name.replace("__", "."): value for name, value in attributes.items()}
    span["attributes"] = {**span["attributes"], **dotted}
    return span


def order(*, write_ms: float, skew_ms: float | None = None, **of_reserve: Any) -> Journey:
    """Return an order's trace: the page's write, and reserve as its child."""
    write = row("a", None, "create orders", kind="PRODUCER", service="page", took=write_ms)
    reserve = with_attributes(
        row("b", "a", "reserve", hop="trigger", service="reserve"),
        faas__name="reserve",
        **of_reserve,
    )
    reserve["error"] = False
    trace = journey(write, reserve)
    services = [{"service": "page", "offset_ms": skew_ms, "evidence": ""}]
    trace["skew"] = {"services": services} if skew_ms else None  # type: ignore[typeddict-item]
    return trace


def late_order(**changes: Any) -> Journey:
    """Return the trace of an order that arrived late and was reserved."""
    attributes = {"boxoffice__sale__over_seconds": 12.0, "boxoffice__order__state": "reserved"}
    return order(**{"write_ms": 12_000.0, **attributes, **changes})


def skewed_order(**changes: Any) -> Journey:
    """Return the trace of an order from a device with a slow clock, with an expired hold."""
    attributes = {
        "boxoffice__hold__lasts_seconds": -10_200.0,
        "boxoffice__order__state": "reserved",
    }
    return order(**{"write_ms": 300.0, "skew_ms": -3 * HOURS, **attributes, **changes})


def test_each_signature_matches_its_own_trace_and_not_the_others() -> None:
    """In both traces the page's time and Firestore's are far apart."""
    assert "took 12 s" in (offline_write.signature([late_order()]) or "")
    assert "-3.0 h off" in (wrong_clock.signature([skewed_order()]) or "")
    assert offline_write.signature([skewed_order()]) is None
    assert wrong_clock.signature([late_order()]) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"write_ms": 900.0},
        {"boxoffice__sale__over_seconds": -5.0},
        {"boxoffice__sale__over_seconds": None},
        {"boxoffice__order__state": "rejected"},
    ],
    ids=str,
)
def test_a_harmless_late_write_does_not_match(changes: dict[str, Any]) -> None:
    """It was quick, or arrived before the sale's end, or was rejected."""
    assert offline_write.signature([late_order(**changes)]) is None


@pytest.mark.parametrize(
    "changes",
    [{"skew_ms": None}, {"skew_ms": 200.0}, {"boxoffice__hold__lasts_seconds": 600.0}],
    ids=str,
)
def test_a_harmless_wrong_clock_does_not_match(changes: dict[str, Any]) -> None:
    """The skew is small, or the hold is valid."""
    assert wrong_clock.signature([skewed_order(**changes)]) is None


@pytest.mark.parametrize(
    ("issued_at", "granted_at", "outcome", "is_found"),
    [
        (BEGAN - 20, BEGAN - 10, "deny", True),
        (BEGAN - 20, BEGAN - 10, "allow", False),
        (BEGAN - 5, BEGAN - 10, "deny", False),
        (BEGAN - 20, BEGAN + 10, "deny", False),
    ],
)
def test_a_token_is_stale_if_the_role_was_granted_between_its_issue_and_the_denial(
    issued_at: float, granted_at: float, outcome: str, is_found: bool
) -> None:
    """A denial of a newer token, or before the role was granted, has another reason."""
    taking_up = with_attributes(
        row("a", None, "take up role", service="page"),
        throughline__token__issued_at=issued_at,
        boxoffice__role__granted_at=granted_at,
    )
    decision = with_attributes(
        row("b", None, "set shows denied", service="firestore.rules"),
        throughline__rules__outcome=outcome,
        throughline__token__issued_at=issued_at,
    )
    evidence = stale_claim.signature([journey(decision), journey(taking_up)])
    assert (evidence is not None) is is_found


@pytest.mark.parametrize(("status", "is_found"), [(9, True), (5, False), (None, False)])
def test_only_failed_precondition_is_a_missing_index(status: int | None, is_found: bool) -> None:
    query = with_attributes(
        row("a", None, "/google.firestore.v1.Firestore/RunQuery"),
        db__query__text="orders where uid == ?",
        rpc__grpc__status_code=status,
    )
    query["error"] = True
    assert (missing_index.signature([journey(query)]) is not None) is is_found
