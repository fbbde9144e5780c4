"""Mutants of security rules: copies of their source in which one condition is missing or wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.security.lone_firestore import Expression

# The methods of an `allow`, and the wider or narrower lists that replace them.
_ALLOW = re.compile(r"allow (?P<methods>[\w, ]+): if (?P<condition>[^;]+);")
_OTHER_METHODS = {
    "read": ("get", "list"),
    "get": ("read",),
    "list": ("read",),
    "create": ("write", "create, update", "create, delete"),
    "update": ("write", "update, delete"),
}
# No request can be made in a microsecond of one's choice, so that no row of a table could tell
# `<` from `<=` beside the time of the request.
_REVERSE = {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}
_OPPOSITE = {"<=": "<", ">=": ">", "<": "<=", ">": ">=", "==": "!=", "!=": "=="}
_COMPARISON = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*")
_LIST_CALL = re.compile(r"\.(hasOnly|hasAll)\(\[(?P<items>[^]]*)\]\)")
_COMMENT = re.compile(r"//[^\n]*")
_WORD = re.compile(r"[a-z]{3,}", re.IGNORECASE)


@dataclass(frozen=True)
class Mutant:
    """Rules in which `original` on a line was replaced by `replacement`."""

    line: int
    original: str
    replacement: str
    source: str

    def __str__(self) -> str:
        original, replacement = (
            " ".join(text.split()) for text in (self.original, self.replacement)
        )
        return f"line {self.line}: {original} → {replacement}"

    def words(self) -> set[str]:
        """Return the words of the source that the mutant changes."""
        return set(_WORD.findall(self.original)) | set(_WORD.findall(self.replacement))


def mutants(source: str, roots: Sequence[Expression]) -> list[Mutant]:
    """Return every mutant of rules, of which `roots` is the emulator's syntax tree.

    Each condition becomes true and false; the constants of comparisons change by one; each `allow`
    applies to all clients, to none, and to other methods; lists of keys lose and gain a key.
    """
    changes = [
        *(change for root in roots for node in root.walk() for change in _of(node, source)),
        *_of_conditions(source, roots),
        *_of_allows(source),
        *_of_lists(source),
    ]
    unique = dict.fromkeys(changes)
    return [
        Mutant(
            source.count("\n", 0, start) + 1,
            source[start:end],
            replacement,
            source[:start] + replacement + source[end:],
        )
        for start, end, replacement in unique
    ]


Change = tuple[int, int, str]


def _of(node: Expression, source: str) -> Iterator[Change]:
    """Yield the changes of one expression: of its operands, or of its operator."""
    if len(node.children) == 2:
        left, right = node.children
        operator = _COMMENT.sub("", source[left.end : right.start]).strip(" \n()")
        if operator in ("&&", "||"):
            for operand in (left, right):
                yield from _truth(operand, source)
    # A comparison with a constant is a node of one child, and one with a variable of two.
    if node.children and (operator_ := _COMPARISON.match(source, node.children[0].end)):
        start, end = operator_.span(1)
        if end < node.end:
            is_of_time = "request.time" in source[node.start : node.end]
            other = _REVERSE if is_of_time and operator_[1] in _REVERSE else _OPPOSITE
            yield start, end, other[operator_[1]]
            number = re.compile(r"\s*(\d+)").match(source, end)
            if number and number.end() <= node.end:
                for step in (-1, 1):
                    yield *number.span(1), str(int(number[1]) + step)
    if source[node.start] == "!" and len(node.children) == 1:
        yield node.start, node.start + 1, ""


def _of_conditions(source: str, roots: Sequence[Expression]) -> Iterator[Change]:
    """Yield the changes of whole conditions: those of an `allow`, or the result of a function."""
    for root in roots:
        yield from _truth(root, source)


def _truth(node: Expression, source: str) -> Iterator[Change]:
    text = source[node.start : node.end]
    for constant in ("true", "false"):
        if text != constant:
            yield node.start, node.end, constant


def _of_allows(source: str) -> Iterator[Change]:
    for allow in _ALLOW.finditer(source):
        start, end = allow.span("methods")
        for methods in _OTHER_METHODS.get(allow["methods"], ()):
            yield start, end, methods


def _of_lists(source: str) -> Iterator[Change]:
    for call in _LIST_CALL.finditer(source):
        start, end = call.span("items")
        items = call["items"].split(", ")
        for item in items:
            yield start, end, ", ".join(other for other in items if other != item)
        yield start, end, ", ".join([*items, "'note'"])
