"""Test cards that make the processor or the bank misbehave."""

from __future__ import annotations

from typing import Any

import pytest

import troubles
from charges import Book, Charge

DOWN = "tok_0000000000000001_unavailable"
LATE = "tok_0000000000000002_late_answer"
APPROVED = "tok_0000000000000003_approved"


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at zero."""
    return Clock()


@pytest.fixture
def processor(clock: Clock) -> troubles.Troubles:
    """The problems of a processor that has just started."""
    return troubles.Troubles(clock)


def test_an_outage_starts_with_the_first_request(
    processor: troubles.Troubles, clock: Clock
) -> None:
    """Its length does not depend on the number of requests."""
    assert processor.count_request(DOWN) == "down"
    clock.now = troubles.OUTAGE_SECONDS - troubles.LULL_SECONDS
    assert processor.count_request(DOWN) == "down"
    clock.now = troubles.OUTAGE_SECONDS
    assert processor.count_request(DOWN) is None
    assert processor.count_request(DOWN) is None


def test_an_outage_does_not_end_under_a_flood(processor: troubles.Troubles, clock: Clock) -> None:
    """The processor recovers only after a pause without requests."""
    for _ in range(100):
        assert processor.count_request(DOWN) == "down"
        clock.now += troubles.LULL_SECONDS / 2
    assert clock.now > troubles.OUTAGE_SECONDS
    clock.now += troubles.LULL_SECONDS / 2
    assert processor.count_request(DOWN) is None


def test_only_the_first_answer_is_late(processor: troubles.Troubles, clock: Clock) -> None:
    """A retry is answered at once, with the same or another key."""
    assert [processor.count_request(LATE) for _ in range(3)] == ["late", None, None]


@pytest.mark.parametrize(("token", "trouble"), [(DOWN, "down"), (LATE, "late")])
def test_a_card_repeats_its_behaviour_after_a_pause(
    processor: troubles.Troubles, clock: Clock, token: str, trouble: str
) -> None:
    """The same test card can therefore be used for a second demonstration."""
    processor.count_request(token)
    clock.now = troubles.REST_SECONDS - 0.1
    assert processor.count_request(token) is None
    clock.now += troubles.REST_SECONDS
    assert processor.count_request(token) == trouble


def test_every_request_is_counted_per_card(processor: troubles.Troubles) -> None:
    """Failed requests count too, because processors bill by request."""
    for token in (DOWN, DOWN, APPROVED):
        processor.count_request(token)
    assert processor.usage() == {DOWN: 2, APPROVED: 1}


def test_an_ordinary_card_neither_fails_nor_waits(processor: troubles.Troubles) -> None:
    assert [processor.count_request(APPROVED) for _ in range(3)] == [None] * 3


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
def test_the_decorator_fails_or_delays_taking_a_charge(
    token: object, status: int, slept_seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A processor that is down takes no charge; a late one takes it before it waits."""
    events: list[object] = []
    monkeypatch.setattr("troubles.time.sleep", events.append)

    @troubles.of_processor
    def take_charge(_book: Book, body: dict[str, Any], _key: str) -> tuple[dict[str, Any], int]:
        events.append("taken")
        return body, 202

    body, response_status = take_charge(Book(None), {"token": token}, "key")
    assert response_status == status
    assert events == ([] if status == 503 else ["taken", *slept_seconds])
    assert body == {"token": token} or body["error"]["code"] == "unavailable"


@pytest.mark.parametrize("status", [400, 402, 403, 422])
def test_a_refused_card_gets_its_status_at_every_request_and_no_charge(status: int) -> None:
    """The last three digits of the outcome are the status."""

    @troubles.of_processor
    def take_charge(_book: Book, _body: dict[str, Any], _key: str) -> tuple[dict[str, Any], int]:
        raise AssertionError("a charge was taken")

    for _ in range(2):
        body = {"token": f"tok_00000000000000b1_refused_{status}"}
        answer, answered_status = take_charge(Book(None), body, "key")
        assert (answered_status, answer["error"]["code"]) == (status, "card_refused")


@pytest.mark.parametrize(
    ("outcome", "slept_seconds"), [("slow_bank", [troubles.SLOW_BANK_SECONDS]), ("approved", [])]
)
def test_a_slow_bank_gives_the_same_result_later(
    outcome: str, slept_seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("troubles.time.sleep", slept.append)
    charge = Charge("ch_1", "key", 1, "EUR", f"tok_00000000000000a4_{outcome}", "", {}, {})
    assert troubles.of_bank(lambda _charge: "card_declined")(charge) == "card_declined"
    assert slept == slept_seconds
