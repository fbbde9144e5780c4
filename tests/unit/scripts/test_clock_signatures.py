"""A late write, a wrong clock and an old token: what tells each from what looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from observatory.schemas.journey import Journey, Row
from stack.scenarios import missing_index, offline_write, stale_claim, wrong_clock
from tests.unit.scripts.journeys import BEGAN_UNIX_NANO, journey, row

BEGAN = BEGAN_UNIX_NANO / 1e9
HOURS = 3_600_000.0


def saying(one: Row, **attributes: Any) -> Row:
    """A span that says so; a name's dots are written as double underscores."""
    said = {name.replace("__", "."): value for name, value in attributes.items()}
    one["attributes"] = {**one["attributes"], **said}
    return one


def order(*, write_ms: float, skew_ms: float | None = None, **of_reserve: Any) -> Journey:
    """An order's trace: the page's write and the reserve under it."""
    write = row("a", None, "create orders", kind="PRODUCER", service="page", took=write_ms)
    reserve = saying(
        row("b", "a", "reserve", hop="trigger", service="reserve"),
        faas__name="reserve",
        **of_reserve,
    )
    reserve["error"] = False
    found = journey(write, reserve)
    services = [{"service": "page", "offset_ms": skew_ms, "evidence": ""}]
    found["skew"] = {"services": services} if skew_ms else None  # type: ignore[typeddict-item]
    return found


def late(**changes: Any) -> Journey:
    """The trace of an order that arrived late, and was taken."""
    said = {"boxoffice__sale__over_seconds": 12.0, "boxoffice__order__state": "reserved"}
    return order(**{"write_ms": 12_000.0, **said, **changes})


def astray(**changes: Any) -> Journey:
    """The trace of an order from a device whose clock is behind, with a hold that was over."""
    said = {"boxoffice__hold__lasts_seconds": -10_200.0, "boxoffice__order__state": "reserved"}
    return order(**{"write_ms": 300.0, "skew_ms": -3 * HOURS, **said, **changes})


def test_each_finds_its_own_and_not_the_others() -> None:
    """Though either way the page's time and Firestore's are far apart."""
    assert "took 12 s" in (offline_write.signature([late()]) or "")
    assert "-3.0 h off" in (wrong_clock.signature([astray()]) or "")
    assert offline_write.signature([astray()]) is None
    assert wrong_clock.signature([late()]) is None


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
def test_a_late_write_that_harms_nobody_is_none(changes: dict[str, Any]) -> None:
    """Quick, or before the sale's end, or turned down."""
    assert offline_write.signature([late(**changes)]) is None


@pytest.mark.parametrize(
    "changes",
    [{"skew_ms": None}, {"skew_ms": 200.0}, {"boxoffice__hold__lasts_seconds": 600.0}],
    ids=str,
)
def test_a_wrong_clock_that_nobody_goes_by_is_none(changes: dict[str, Any]) -> None:
    """And neither is a hold without one."""
    assert wrong_clock.signature([astray(**changes)]) is None


@pytest.mark.parametrize(
    ("issued_at", "granted_at", "outcome", "is_found"),
    [
        (BEGAN - 20, BEGAN - 10, "deny", True),
        (BEGAN - 20, BEGAN - 10, "allow", False),
        (BEGAN - 5, BEGAN - 10, "deny", False),
        (BEGAN - 20, BEGAN + 10, "deny", False),
    ],
)
def test_a_token_is_stale_if_the_role_came_between_it_and_the_denial(
    issued_at: float, granted_at: float, outcome: str, is_found: bool
) -> None:
    """A denial to a younger token, or from before, has another reason."""
    taking_up = saying(
        row("a", None, "take up role", service="page"),
        throughline__token__issued_at=issued_at,
        boxoffice__role__granted_at=granted_at,
    )
    decision = saying(
        row("b", None, "set shows denied", service="firestore.rules"),
        throughline__rules__outcome=outcome,
        throughline__token__issued_at=issued_at,
    )
    found = stale_claim.signature([journey(decision), journey(taking_up)])
    assert (found is not None) is is_found


@pytest.mark.parametrize(("status", "is_found"), [(9, True), (5, False), (None, False)])
def test_a_query_that_failed_otherwise_is_not_missing_an_index(
    status: int | None, is_found: bool
) -> None:
    """Only FAILED_PRECONDITION is."""
    query = saying(
        row("a", None, "/google.firestore.v1.Firestore/RunQuery"),
        db__query__text="orders where uid == ?",
        rpc__grpc__status_code=status,
    )
    query["error"] = True
    assert (missing_index.signature([journey(query)]) is not None) is is_found
