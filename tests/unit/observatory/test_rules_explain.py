"""Finding the line of the rules that denied an access.

tests/hops/test_rules.py compares the result with the real rules engine.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from observatory.rules_monitor.explain import denying_line
from observatory.rules_monitor.matching import allows_about
from tests.unit.observatory.rules_messages import UID, evaluation, message, order


def line_in(
    condition: str, outcome: str = "deny", functions: str = "", **options: Any
) -> int | None:
    """Return the denying line, counted from the first of the condition; None if it is unknown."""
    rules = (
        f"service cloud.firestore {{ match /databases/{{database}}/documents {{ {functions}\n"
        f"match /orders/{{order}} {{\nallow create: if {condition};\n}} }} }}"
    )
    allow_line = rules.count("\n", 0, rules.index("allow create")) + 1
    raw = message(
        outcome,
        attempted=order(**options.pop("fields", {})),
        allows=[(allow_line, False)],
        **options,
    )
    line = denying_line(evaluation(raw | {"rules": rules}), allow_line)
    return None if line is None else line - allow_line


DATA = "request.resource.data"


@pytest.mark.parametrize(
    ("condition", "line"),
    [
        ("false", 0),
        ("true\n && true\n && false", 2),
        (f"{DATA}.seats == 2\n && {DATA}.seats < 2", 1),
        (f"{DATA}.seats in [1,\n 2]\n && !({DATA}.state in ['placed'])", 2),
        (f"({DATA}.seats is int && {DATA}.state is string)\n && {DATA}.seats is string", 1),
        (f"{DATA}['state'] == 'placed' // && false;\n && {DATA}.keys().hasOnly(['uid'])", 1),
        ("(true\n || false)\n && (false\n || false)", 2),
        ("order == 'whpLyvtl6eZ9a2jiJ9aA'\n && order == 'another'", 1),
        ("database == '(default)'\n && request.method == 'update'", 1),
        (f"request.auth.uid == '{UID}'\n && request.auth.token.aud != 'demo-throughline'", 1),
        ("request.auth != null\n ? false\n : true", 1),
        (f"{DATA}.seats * 2 + 1 == 5\n && {DATA}.seats - 1 >= -1\n && -{DATA}.seats > 0", 2),
        (f"{DATA}.get('seats', 0) == 2\n && {DATA}.get('nothing', 'x') == 'y'", 1),
        (f"{DATA}.placed_at == request.time\n && {DATA}.placed_at < request.time", 1),
        ("/* a\n comment */ true\n && 'a\\'b;c' == \"d\"", 2),
        ("true && 1.5 > 1\n && [1, 2].size() == 3", 1),
        (f"{DATA}.seats / 2 == 1\n && -7 / 2 == -3 && -7 % 3 == -1\n && {DATA}.seats / 2 == 3", 2),
        ("math.abs(-1) == 1\n && math.abs(-1) == 2", 1),
        ("request.time.toMillis() > 0\n && request.time.toMillis() == 0", 1),
        ("'ab'.matches('[[:alpha:]]+')\n && 'a'.matches('(a+)+b')", 1),
        ("'ab1'.matches('[[:alpha:]]+')\n && false", 0),
        ("'é'.matches('\\\\pL')\n && 'é'.matches('\\\\w')", 1),
        (f"debug({DATA}.seats) == 2\n && debug({DATA}.seats == 3)", 1),
        (f"debug({DATA}.seats == 2\n && {DATA}.seats == 3)", 1),
        (f"{DATA}.diff({{}}).affectedKeys().hasOnly(['uid'])\n && false", 0),
        ("{} == {}\n && {'a': 1}.a == 1\n && {'a': {}}['a'] == {'b': 1}", 2),
        ("[1, 2, 3][0:2] == [1, 2]\n && 'abc'[1:2] == 'b'\n && [1][0:1] == []", 2),
        ("/a/$('b') == /a/b\n && /a/b == /a/c", 1),
        ("[1] == [1]\n && [1].hasAny([1]) && [true].hasAny([1])", 1),
        ("[1].hasAny([1])\n && [1.0].hasAny([1])", 1),
        ("[[1]].hasAny([[1]])\n && [[true]].hasAny([[1]])", 1),
    ],
)
def test_the_line_of_the_innermost_false_operand_is_found(condition: str, line: int) -> None:
    assert line_in(condition) == line


def test_the_deciding_line_may_be_in_a_function() -> None:
    """Functions are evaluated with their arguments, `let`s and nested calls."""
    functions = """
      function small(n) { return n < 2; }
      function fits(data) {
        let seats = data.seats;
        return seats is int
          && small(seats);
      }"""
    line = line_in(f"true && fits({DATA})", functions=functions)
    assert line == -7  # the line of `small`'s body


def test_the_line_of_the_failing_operand_is_found() -> None:
    """Such an operand reads a missing field or a member of null, for example."""
    assert line_in(f"true\n && {DATA}.nothing == 1", "error") == 1
    assert line_in("true\n && request.auth.uid == 'x'", "error", uid=None) == 1
    assert line_in(f"true\n && {DATA}.state < 3", "error") == 1


def test_a_false_operand_decides_after_one_that_fails() -> None:
    """The rules engine does the same. The first operand that is not true is reported."""
    assert line_in(f"{DATA}.nothing == 1\n && false") == 0


@pytest.mark.parametrize(
    "condition",
    [
        "exists(/databases/$(database)/documents/shows/x)",
        "get(/databases/$(database)/documents/shows/$('a;b')).data.open",
        "true && math.sqrt(4) == 3.0",
        "request.resource.data.diff(resource.data).changedKeys().hasOnly([])",
        "request.time.date() == 0",
        "'a'.matches('(?=a)b')",
        "'a'.matches('[[:nothing:]]')",
        f"{DATA}.seats / 0.0 == 3",
        "b'abc' == 'x'",
        "unknownFunction()",
        "recurses()",
        "]]]",
    ],
)
def test_unsupported_syntax_has_no_deciding_line(condition: str) -> None:
    """Only the line of the `allow` is known then."""
    functions = "function recurses() { return recurses(); }"
    assert line_in(condition, functions=functions) is None


def test_a_result_that_differs_from_the_emulators_is_ignored() -> None:
    """Here the condition is true or fails, whereas the emulator reports false."""
    assert line_in("true") is None
    assert line_in(f"{DATA}.nothing == 1") is None
    assert line_in("false", "error") is None


@pytest.mark.parametrize("unknown", ["there()", "b'abc' == 'x'", "math.sqrt(4) == 3.0"])
def test_a_false_operand_is_reported_beside_an_unknown_one(unknown: str) -> None:
    """One false operand makes `&&` false, whatever the others are."""
    functions = """
      function there() { return exists(/databases/$(database)/documents/a/b); }"""
    assert line_in(f"true\n && false\n && {unknown}", functions=functions) == 1
    assert line_in(f"true\n && {unknown}\n && false", functions=functions) == 2
    assert line_in(f"(false\n || {unknown})\n && true", functions=functions) is None
    assert line_in(f"{unknown}\n && true", functions=functions) is None


def test_a_function_may_ignore_an_unknown_argument() -> None:
    """Only its use would make the result unknown."""
    functions = "function no(document) { return false; }"
    assert line_in("no(get(/databases/x/documents/a/b))", functions=functions) == -2


def test_long_texts_are_matched_in_linear_time() -> None:
    """A pattern with exponential time in a backtracking engine takes RE2 milliseconds."""
    fields = {"state": "a" * 100_000 + "!"}
    started = time.monotonic()
    assert line_in(f"true\n && {DATA}.state.matches('(a*)*a*b')", fields=fields) == 1
    assert time.monotonic() - started < 5


def lines_about(method: str, path: str, allows: str, *outcomes: tuple[int, bool]) -> list[int]:
    """Return those of the reported lines that cover this method and path."""
    rules = f"service cloud.firestore {{ match /databases/{{d}}/documents {{\n{allows}\n}} }}"
    raw = message("deny", method, path, attempted=order(), allows=list(outcomes)) | {"rules": rules}
    return [line for line, _ in allows_about(evaluation(raw))]


def test_allows_about_other_accesses_of_the_request_are_ignored() -> None:
    """The emulator reports each `allow` tried so far, for other methods and documents, too."""
    allows = """match /orders/{order} {
      allow create: if false;
      allow read, write: if false;
      match /lines/{line} { allow create: if false; }
    }
    match /{everything=**} { allow get: if false; }"""
    tried = [(line, False) for line in (3, 4, 5, 7)]
    assert lines_about("create", "orders/a", allows, *tried) == [3, 4]
    assert lines_about("set", "orders/a", allows, *tried) == [3, 4]
    assert lines_about("delete", "orders/a", allows, *tried) == [4]
    assert lines_about("list", "orders/*", allows, *tried) == [4]
    assert lines_about("get", "orders/a", allows, *tried) == [4, 7]
    assert lines_about("create", "orders/a/lines/b", allows, *tried) == [5]
    assert lines_about("get", "elsewhere/a/b/c", allows, *tried) == [7]
    assert lines_about("create", "orders/a", "not rules", *tried) == [3, 4, 5, 7]


def test_two_statements_on_one_line_have_no_deciding_line() -> None:
    """The emulator reports only the line."""
    rules = (
        "service cloud.firestore { match /databases/{d}/documents { match /orders/{o} {\n"
        "allow create: if false; allow create: if 1 > 2; allow get: if false;\n} } }"
    )
    raw = message("deny", attempted=order(), allows=[(2, False)]) | {"rules": rules}
    assert denying_line(evaluation(raw), 2) is None
    raw = message("deny", "get", allows=[(2, False)]) | {"rules": rules}
    assert denying_line(evaluation(raw), 2) == 2
