"""The filter language: what it reads, what it refuses, and that its text and trees fit."""

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
def test_a_filter_is_read(text: str, tree: Tree | None) -> None:
    """Words, comparisons, units, quotes, and what joins them, each as it is meant."""
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("duration >", 10, "a value after duration >"),
        ("duration > soon", 11, "a time, such as 2 s"),
        ("duration > 2 sec", 13, "sec is no unit of time: those are ns, us, .*ms, s, min"),
        ("wait.reserve > 2 hours and a", 17, "hours is no unit of time"),
        ("duration > 2sec", 12, "sec is no unit of time"),
        ("duration > 2 ticketed", 13, "Before a word to look for, write “and”"),
        ("duration ~ 2 s", 9, "no text"),
        ("spans > many", 8, "a number"),
        ("error = maybe", 8, "true or = false"),
        ("name > b", 7, "compares numbers"),
        ("name > 3", 5, "is text"),
        ("(a or b", 0, "never closed"),
        ("seats = 2 exists", 10, "Expected “and” or “or” before exists"),
        ("a or b)", 6, "closes nothing"),
        ('say = "hello', 6, "never closed"),
        ("a and", 5, "found the end"),
        ("= 3", 0, "Expected a word or a comparison"),
        ("not", 3, "found the end"),
        ('"" = 3', 0, "at least one letter"),
        ("duration > 1e999 s", 11, "too large"),
        ("(" * 50 + "a" + ")" * 50, 40, "too long"),
        ("a " * 2500, 4000, "at most 4,000"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, position: int, said: str) -> None:
    """The message says what was expected, the position where; nothing is guessed."""
    with pytest.raises(BadFilter, match=said) as refused:
        parse(text)
    assert refused.value.position == position


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
def test_the_text_of_a_tree_reads_as_that_tree(tree: Tree) -> None:
    """Whatever is in keys and values: quotes, brackets, keywords, units."""
    assert parse(render(tree)) == tree


@given(st.text(max_size=60) | st.text('()"=<>~! aorntd\\2s.', max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """There is a tree, or a refusal that points into the text; never another error."""
    try:
        tree = parse(text)
    except BadFilter as error:
        refused = error
    else:
        assert tree is None or parse(render(tree)) == tree
        return
    assert 0 <= refused.position <= len(text)
    assert str(refused)
