"""instances-come-and-go: the weather in which a cold start shows more than once."""

import itertools

from faults import instance

ANSWERS_AN_INSTANCE = 2

_answers = itertools.count(1)


def count_answer() -> None:
    """Count an answer of this instance, which ends after the second: so the first of each two
    comes from a new instance, and the other does not."""
    if next(_answers) % ANSWERS_AN_INSTANCE == 0:
        instance.take_away()
