"""Parsing of clients' JSON: valid JSON is parsed, anything else is refused with a reason."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from throughline.json_body import DEPTH_MAX, InvalidJson, parse_json

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(values.filter(lambda value: value not in (float("inf"), float("-inf"))), st.booleans())
def test_valid_json_is_parsed(value: object, ascii_only: bool) -> None:
    """It may contain any Unicode text, escaped or not."""
    text = json.dumps(value, ensure_ascii=ascii_only).replace("Infinity", "0")
    assert parse_json(text.encode()) == json.loads(text)


@given(st.binary())
def test_arbitrary_bytes_are_parsed_or_refused(body: bytes) -> None:
    """No exception other than InvalidJson is raised."""
    with contextlib.suppress(InvalidJson):
        parse_json(body)


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_depth_is_limited(brackets: tuple[str, str]) -> None:
    """The limit is 100 levels, independent of Python's recursion limit."""
    opening, closing = brackets
    parse_json((opening * DEPTH_MAX + "1" + closing * DEPTH_MAX).encode())
    for depth in (DEPTH_MAX + 1, 900, 50_000):
        with pytest.raises(InvalidJson, match="deeper than 100 levels"):
            parse_json((opening * depth + "1" + closing * depth).encode())


def test_many_shallow_containers_are_not_too_deep() -> None:
    """Counting brackets only decides whether to measure the depth."""
    assert len(parse_json(b"[" + b"[]," * 1_000 + b"[]]")) == 1_001


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"\xef\xbb\xbf1", 1),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\\\ud83d"', "\\ud83d"),
        (b"1" * 4_300, int("1" * 4_300)),
    ],
    ids=["byte order mark", "surrogate pair", "escaped backslash", "4,300 digits"],
)
def test_valid_edge_cases_are_parsed(body: bytes, value: object) -> None:
    """Bodies that resemble invalid ones are accepted."""
    assert parse_json(body) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON: see line 1, column 1"),
        (b'{"a": 1,\n "b" 2}', "not JSON: see line 2, column 6"),
        (b"NaN", "NaN is not a JSON number"),
        (b"-Infinity", "-Infinity is not a JSON number"),
        (b"1" * 4_301, "an integer with too many digits"),
        (b'"\\ud83d"', "half a surrogate pair"),
        (b'{"\\uDE00": 1}', "half a surrogate pair"),
        (b'[{"a": ["\\ud83d\\ud83d"]}]', "half a surrogate pair"),
        (b'"\xed\xa0\xbd"', "not UTF-8"),
        ('"text"'.encode("utf-16"), "not UTF-8"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_unusable_json_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    """The message is one sentence for the client."""
    with pytest.raises(InvalidJson, match=reason):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'"\\ud83d cut"', "\ufffd cut"),
        (b'{"\\ude00": ["\\ud83d\\ude00"]}', {"\ufffd": ["\U0001f600"]}),
        (b'"whole"', "whole"),
    ],
)
def test_half_a_surrogate_pair_is_replaced_on_request(body: bytes, value: object) -> None:
    """A whole pair stays."""
    assert parse_json(body, repair=True) == value
