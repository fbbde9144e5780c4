"""The filter language: parsing, error messages, and rendering."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.compare.filter import (
    COUNT_KEYS,
    DURATION_KEYS,
    OPERATORS,
    RESERVED_KEYS,
    WAIT_PREFIX,
    All,
    Comparison,
    Either,
    Exists,
    Not,
    Tree,
    Value,
    Word,
    render,
)
from observatory.compare.parsing import BadFilter, parse


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", None),
        ("  ", None),
        ("night ferry", All((Word("night"), Word("ferry")))),
        ('"night ferry"', Word("night ferry")),
        ("duration > 2 s", Comparison("duration", ">", Value("2 s", 2000.0))),
        ("duration>=300ms", Comparison("duration", ">=", Value("300ms", 300.0))),
        ("show.id != night-ferry", Comparison("show.id", "!=", Value("night-ferry"))),
        (r'say ~ "a \"b\" \\c"', Comparison("say", "~", Value(r'a "b" \c'))),
        ('"and" = "or"', Comparison("and", "=", Value("or"))),
        (
            "seats > 2 s = 3",
            All((Comparison("seats", ">", Value("2", 2.0)), Comparison("s", "=", Value("3", 3.0)))),
        ),
        ("NOT a Or b AND c", Either((Not(Word("a")), All((Word("b"), Word("c")))))),
        ("not (a or (b or c))", Not(Either((Word("a"), Word("b"), Word("c"))))),
        ("state exists", Exists("state")),
        ("wow! it works!", All((Word("wow!"), Word("it"), Word("works!")))),
        ("%_'; drop --", All((Word("%_';"), Word("drop"), Word("--")))),
    ],
)
def test_a_filter_is_parsed_into_its_tree(text: str, tree: Tree | None) -> None:
    """It may have words, comparisons, units, quotes, brackets and operators."""
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("duration >", 10, "a value after duration >"),
        ("duration > soon", 11, "a time, such as 2 s"),
        ("duration > 2 sec", 13, "sec is not a unit of time: use one of ns, us, .*ms, s, min"),
        ("wait.reserve > 2 hours and a", 17, "hours is not a unit of time"),
        ("duration > 2sec", 12, "sec is not a unit of time"),
        ("duration > 2 ticketed", 13, "To search for a word, write “and” before it"),
        ("duration ~ 2 s", 9, "is not text"),
        ("spans > many", 8, "a number"),
        ("error = maybe", 8, "true or = false"),
        ("name > b", 7, "compares numbers"),
        ("name > 3", 5, "is text"),
        ("(a or b", 0, "never closed"),
        ("seats = 2 exists", 10, "Expected “and” or “or” before exists"),
        ("a or b)", 6, "has no opening bracket"),
        ('say = "hello', 6, "never closed"),
        ("a and", 5, "found the end"),
        ("= 3", 0, "Expected a word or a comparison"),
        ("not", 3, "found the end"),
        ('"" = 3', 0, "at least one character"),
        ("duration > 1e999 s", 11, "too large"),
        ("(" * 50 + "a" + ")" * 50, 40, "too many terms or brackets"),
        ("a " * 2500, 4000, "at most 4,000"),
    ],
)
def test_an_invalid_filter_is_rejected_with_its_position(
    text: str, position: int, message: str
) -> None:
    """The message says what is expected, and the position where."""
    with pytest.raises(BadFilter, match=message) as rejection:
        parse(text)
    assert rejection.value.position == position


def _numbers() -> st.SearchStrategy[Value]:
    units: dict[str, float] = {"ms": 1.0, "s": 1000.0, "": 1.0}
    return st.tuples(st.integers(0, 10**6), st.sampled_from(sorted(units))).map(
        lambda pair: Value(f"{pair[0]} {pair[1]}".strip(), pair[0] * units[pair[1]])
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.one_of(
    st.sampled_from([*sorted(RESERVED_KEYS), "wait.reserve", "show.id", "and", "exists", "s"]),
    texts.filter(bool),
)


@st.composite
def _comparisons(draw: Any) -> Comparison:
    key = draw(names)
    timed = key in DURATION_KEYS or key.startswith(WAIT_PREFIX)
    if key == "error":
        return Comparison(key, draw(st.sampled_from(("=", "!="))), Value("true"))
    if timed or key in COUNT_KEYS:
        return Comparison(
            key, draw(st.sampled_from([o for o in OPERATORS if "~" not in o])), draw(_numbers())
        )
    if key in RESERVED_KEYS:
        return Comparison(key, draw(st.sampled_from(("=", "!=", "~", "!~"))), Value(draw(texts)))
    operator = draw(st.sampled_from(OPERATORS))
    value = _numbers() if operator in (">", ">=", "<", "<=") else texts.map(Value) | _numbers()
    return Comparison(key, operator, draw(value))


def _joined(terms: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    def flat(kind: type[All] | type[Either]) -> st.SearchStrategy[Tree]:
        several = st.lists(
            terms.filter(lambda term: not isinstance(term, kind)), min_size=2, max_size=3
        )
        return several.map(lambda some: kind(tuple(some)))

    return terms.map(Not) | flat(All) | flat(Either)


trees = st.recursive(texts.map(Word) | names.map(Exists) | _comparisons(), _joined, max_leaves=8)


@given(trees)
def test_the_text_of_a_tree_parses_to_the_same_tree(tree: Tree) -> None:
    """Keys and values may contain quotes, brackets, keywords and units."""
    assert parse(render(tree)) == tree


@given(st.text(max_size=60) | st.text('()"=<>~! aorntd\\2s.', max_size=40))
def test_any_text_is_parsed_or_rejected(text: str) -> None:
    """The only error is BadFilter, with a message and a position in the text."""
    try:
        tree = parse(text)
    except BadFilter as bad:
        rejection = bad
    else:
        assert tree is None or parse(render(tree)) == tree
        return
    assert 0 <= rejection.position <= len(text)
    assert str(rejection)
