"""What chaos decides, and what it is asked with."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.delivery.chaos import BadChaos, Chaos, Plan, decide, parse

MUCH = Chaos(seed=7, duplicate_rate=0.3, delay_ms_max=200, reorder_rate=0.2, fail_rate=0.05)
# Of 200 events of charge: which fail, and how.
FAILING_OF_SEED_7 = [
    (7, "after"),
    (21, "before"),
    (27, "before"),
    (38, "before"),
    (64, "before"),
    (104, "after"),
    (153, "before"),
]
rates = st.floats(0, 1)


def plans(chaos: Chaos, function: str = "issue", count: int = 1000) -> list[Plan]:
    """What is done to the first events of a function."""
    return [decide(chaos, function, number) for number in range(count)]


@given(st.integers(), rates, rates, rates)
def test_the_same_seed_decides_the_same(
    seed: int, duplicate: float, reorder: float, fail: float
) -> None:
    """Today, tomorrow, in another process."""
    chaos = Chaos(seed, duplicate, 100, reorder, fail)
    assert plans(chaos, count=20) == plans(chaos, count=20)


def test_these_are_the_decisions_of_seed_7() -> None:
    """Written down, so that another version of anything can't change them unnoticed."""
    first = plans(MUCH, "charge", 200)
    failing = [(number, plan.fail) for number, plan in enumerate(first) if plan.fail]
    assert failing == FAILING_OF_SEED_7


def test_another_seed_function_or_number_decides_otherwise() -> None:
    """No two of them share their luck."""
    assert plans(MUCH) != plans(Chaos(8, 0.3, 200, 0.2, 0.05))
    assert plans(MUCH, "issue") != plans(MUCH, "charge")
    assert len({plan.delays_seconds for plan in plans(MUCH)}) == 1000


def test_rates_are_met_and_a_failure_is_of_either_kind() -> None:
    """Within what chance allows over a thousand events."""
    seen = plans(MUCH)
    assert 250 < sum(len(plan.delays_seconds) == 2 for plan in seen) < 350
    assert 160 < sum(plan.held_back for plan in seen) < 240
    failures = Counter(plan.fail for plan in seen if plan.fail)
    assert 30 < sum(failures.values()) < 75
    assert min(failures["before"], failures["after"]) > 10
    delays = [delay for plan in seen for delay in plan.delays_seconds]
    assert 0 <= min(delays) < 0.01
    assert 0.19 < max(delays) <= 0.2


def test_one_rate_does_not_shift_anothers_luck() -> None:
    """Turning duplicates off leaves the same events failing."""
    alone = plans(Chaos(seed=7, fail_rate=0.05))
    assert [plan.fail for plan in alone] == [plan.fail for plan in plans(MUCH)]


def test_no_chaos_is_one_prompt_delivery() -> None:
    """An empty request turns it off."""
    assert parse({}) == Chaos()
    assert not parse({"seed": 3}).on
    assert set(plans(Chaos(), count=50)) == {Plan((0.0,))}


@pytest.mark.parametrize("key", ["duplicate_rate", "delay_ms_max", "reorder_rate", "fail_rate"])
def test_anything_asked_for_is_chaos(key: str) -> None:
    """Each alone."""
    assert parse({key: 1}).on


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ([], "chaos is a list; it must be a map"),
        ({"fail": 1}, "there is no 'fail'; there are seed, duplicate_rate, "),
        ({"fail_rate": 1.1}, "fail_rate is 1.1; it must be a number from 0 to 1"),
        ({"fail_rate": -0.1}, "fail_rate is -0.1"),
        ({"fail_rate": float("nan")}, "fail_rate is nan"),
        ({"fail_rate": True}, "fail_rate is True"),
        ({"fail_rate": "0.5"}, "fail_rate is '0.5'"),
        ({"delay_ms_max": 60_001}, "from 0 to 60000"),
        ({"seed": 1.5}, "seed is 1.5; it must be a whole number"),
        ({"seed": True}, "seed is True"),
    ],
)
def test_a_request_that_cannot_be_met_says_why(asked: object, why: str) -> None:
    """With the key and its value."""
    with pytest.raises(BadChaos) as error:
        parse(asked)
    assert why in str(error.value)
