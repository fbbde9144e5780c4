"""Tests of the choice of delivery faults, and of the validation of requests for chaos."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.delivery.chaos import BadChaos, Chaos, Plan, decide, parse

ALL_FAULTS = Chaos(seed=7, duplicate_rate=0.3, delay_ms_max=200, reorder_rate=0.2, fail_rate=0.05)
# The events of charge that fail among the first 200, and how they fail.
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
    """Return the plans of the first `count` events of a function."""
    return [decide(chaos, function, number) for number in range(count)]


@given(st.integers(), rates, rates, rates)
def test_the_same_seed_gives_the_same_plans(
    seed: int, duplicate: float, reorder: float, fail: float
) -> None:
    chaos = Chaos(seed, duplicate, 100, reorder, fail)
    assert plans(chaos, count=20) == plans(chaos, count=20)


def test_the_plans_of_seed_7_have_not_changed() -> None:
    """Recorded literally, so that a new version of Python can't change them unnoticed."""
    first = plans(ALL_FAULTS, "charge", 200)
    failing = [(number, plan.fail) for number, plan in enumerate(first) if plan.fail]
    assert failing == FAILING_OF_SEED_7


def test_plans_depend_on_seed_function_and_number() -> None:
    assert plans(ALL_FAULTS) != plans(Chaos(8, 0.3, 200, 0.2, 0.05))
    assert plans(ALL_FAULTS, "issue") != plans(ALL_FAULTS, "charge")
    assert len({plan.delays_seconds for plan in plans(ALL_FAULTS)}) == 1000


def test_the_rates_hold_over_a_thousand_events_and_both_kinds_of_failure_occur() -> None:
    seen = plans(ALL_FAULTS)
    assert 250 < sum(len(plan.delays_seconds) == 2 for plan in seen) < 350
    assert 160 < sum(plan.held_back for plan in seen) < 240
    failures = Counter(plan.fail for plan in seen if plan.fail)
    assert 30 < sum(failures.values()) < 75
    assert min(failures["before"], failures["after"]) > 10
    delays = [delay for plan in seen for delay in plan.delays_seconds]
    assert 0 <= min(delays) < 0.01
    assert 0.19 < max(delays) <= 0.2


def test_changing_one_rate_does_not_change_which_events_another_selects() -> None:
    """Without duplicates, the same events fail."""
    alone = plans(Chaos(seed=7, fail_rate=0.05))
    assert [plan.fail for plan in alone] == [plan.fail for plan in plans(ALL_FAULTS)]


def test_without_chaos_each_event_is_delivered_once_and_at_once() -> None:
    """An empty request turns chaos off."""
    assert parse({}) == Chaos()
    assert not parse({"seed": 3}).on
    assert set(plans(Chaos(), count=50)) == {Plan((0.0,))}


@pytest.mark.parametrize("key", ["duplicate_rate", "delay_ms_max", "reorder_rate", "fail_rate"])
def test_any_rate_above_zero_turns_chaos_on(key: str) -> None:
    assert parse({key: 1}).on


@pytest.mark.parametrize(
    ("request_body", "message"),
    [
        ([], "chaos is a list; it must be a map"),
        ({"fail": 1}, "unknown key 'fail'; the keys are seed, duplicate_rate, "),
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
def test_an_invalid_request_is_rejected_with_key_and_value(
    request_body: object, message: str
) -> None:
    with pytest.raises(BadChaos) as error:
        parse(request_body)
    assert message in str(error.value)
