"""Texts for people: patterns of messages."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.text_format import message_pattern, message_pattern_sql


@pytest.mark.parametrize(
    ("message", "pattern"),
    [
        ("order o-17 not found", "order # not found"),
        ("no seat 12F in night-ferry", "no seat # in night-ferry"),
        ("0af7651916cd43dd8448eb211c80319c: gone", "#: gone"),
        ("f47ac10b-58cc-4372-a567-0e02b2c3d479", "#"),
        ("took 1.5 s, not 2", "took #.# s, not #"),
        ("", ""),
    ],
)
def test_messages_about_the_same_problem_have_the_same_pattern(message: str, pattern: str) -> None:
    """Ids, hashes and numbers are replaced; names without digits stay."""
    assert message_pattern(message) == pattern


@given(st.text(alphabet="ab1-_ .é😀\x00", max_size=600))
def test_python_and_sql_compute_the_same_pattern(message: str) -> None:
    """The explorer's findings and SQL queries group errors alike."""
    sql = f"select {message_pattern_sql('message')} from (select $message as message)"  # noqa: S608
    row = duckdb.execute(sql, {"message": message}).fetchone()
    assert row == (message_pattern(message),)


def test_a_long_message_takes_linear_time() -> None:
    """A message without any digit must not make the search for one quadratic."""
    assert message_pattern("x" * 10_000_000) == "x" * 500
