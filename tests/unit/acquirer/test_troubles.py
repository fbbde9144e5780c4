"""Test cards with which it is the processor that has a bad day."""

from __future__ import annotations

from typing import Any

import pytest

import troubles
from charges import Book, Charge

DOWN = "tok_0000000000000001_unavailable"
LATE = "tok_0000000000000002_late_answer"
APPROVED = "tok_0000000000000003_approved"


class Clock:
    """Time that passes when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Midnight."""
    return Clock()


@pytest.fixture
def today(clock: Clock) -> troubles.Troubles:
    """A processor that was just started."""
    return troubles.Troubles(clock)


def test_an_outage_lasts_from_the_first_request_on(today: troubles.Troubles, clock: Clock) -> None:
    """However many come meanwhile."""
    assert today.asked(DOWN) == "down"
    clock.now = troubles.OUTAGE_SECONDS - troubles.LULL_SECONDS
    assert today.asked(DOWN) == "down"
    clock.now = troubles.OUTAGE_SECONDS
    assert today.asked(DOWN) is None
    assert today.asked(DOWN) is None


def test_an_outage_does_not_end_under_a_flood(today: troubles.Troubles, clock: Clock) -> None:
    """However long that lasts: only who leaves the processor alone for a moment finds it up."""
    for _ in range(100):
        assert today.asked(DOWN) == "down"
        clock.now += troubles.LULL_SECONDS / 2
    assert clock.now > troubles.OUTAGE_SECONDS
    clock.now += troubles.LULL_SECONDS / 2
    assert today.asked(DOWN) is None


def test_only_the_first_answer_is_late(today: troubles.Troubles, clock: Clock) -> None:
    """Who asks again, under whatever key, is answered at once."""
    assert [today.asked(LATE) for _ in range(3)] == ["late", None, None]


@pytest.mark.parametrize(("token", "trouble"), [(DOWN, "down"), (LATE, "late")])
def test_a_card_that_rested_has_its_bad_day_anew(
    today: troubles.Troubles, clock: Clock, token: str, trouble: str
) -> None:
    """So that a person can pay with the same test card twice."""
    today.asked(token)
    clock.now = troubles.REST_SECONDS - 0.1
    assert today.asked(token) is None
    clock.now += troubles.REST_SECONDS
    assert today.asked(token) == trouble


def test_every_request_is_counted_by_its_card(today: troubles.Troubles) -> None:
    """Those that met trouble too: processors bill by requests."""
    for token in (DOWN, DOWN, APPROVED):
        today.asked(token)
    assert today.usage() == {DOWN: 2, APPROVED: 1}


def test_an_ordinary_card_meets_no_trouble(today: troubles.Troubles) -> None:
    """However often it is charged."""
    assert [today.asked(APPROVED) for _ in range(3)] == [None] * 3


@pytest.mark.parametrize(
    ("token", "status", "slept_seconds"),
    [
        ("tok_00000000000000a1_unavailable", 503, []),
        ("tok_00000000000000a2_late_answer", 202, [troubles.LATE_ANSWER_SECONDS]),
        ("tok_00000000000000a3_approved", 202, []),
        ("no token", 202, []),
        (None, 202, []),
    ],
)
def test_trouble_comes_around_taking_a_charge(
    token: object, status: int, slept_seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A processor that is down takes none; one that is late has taken it before it waits."""
    events: list[object] = []
    monkeypatch.setattr("troubles.time.sleep", events.append)

    @troubles.of_processor
    def take_charge(_book: Book, body: dict[str, Any], _key: str) -> tuple[dict[str, Any], int]:
        events.append("taken")
        return body, 202

    answer, answered = take_charge(Book(None), {"token": token}, "key")
    assert answered == status
    assert events == ([] if status == 503 else ["taken", *slept_seconds])
    assert answer == {"token": token} or answer["error"]["code"] == "unavailable"


@pytest.mark.parametrize(
    ("outcome", "slept_seconds"), [("slow_bank", [troubles.SLOW_BANK_SECONDS]), ("approved", [])]
)
def test_a_slow_bank_is_slow_and_says_the_same(
    outcome: str, slept_seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it declines is another matter."""
    slept: list[float] = []
    monkeypatch.setattr("troubles.time.sleep", slept.append)
    charge = Charge("ch_1", "key", 1, "EUR", f"tok_00000000000000a4_{outcome}", "", {}, {})
    assert troubles.of_bank(lambda _charge: "card_declined")(charge) == "card_declined"
    assert slept == slept_seconds
