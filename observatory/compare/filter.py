"""The filter language: its grammar and syntax tree. An example is ``error = true and spans > 9``.

    expression  = conjunction { "or" conjunction }
    conjunction = term { [ "and" ] term }
    term        = "not" term | "(" expression ")" | KEY OPERATOR VALUE | KEY "exists" | WORD
    OPERATOR    = "=" | "!=" | ">" | ">=" | "<" | "<=" | "~" | "!~"

Keys, values and words may be quoted; within quotes, a backslash escapes a quote or a backslash.
``parsing`` parses the text into a tree, and ``matching`` translates the tree to SQL.
"""

import re
from dataclasses import dataclass
from typing import Literal

Operator = Literal["=", "!=", ">", ">=", "<", "<=", "~", "!~"]
OPERATORS: tuple[Operator, ...] = ("=", "!=", ">", ">=", "<", "<=", "~", "!~")
ORDERING = frozenset({">", ">=", "<", "<="})
KEYWORDS = frozenset({"and", "or", "not", "exists"})

# Reserved keys by the type of their values. Any other key is an attribute, with text or numbers.
DURATION_KEYS = frozenset({"duration", "span.duration"})
COUNT_KEYS = frozenset({"spans", "errors", "orphans", "uncovered", "attempts"})
TRUTH_KEYS = frozenset({"error"})
TEXT_KEYS = frozenset(
    {"name", "service", "hop", "kind", "status", "root", "declared_root", "trace", "missing_hop"}
)
WAIT_PREFIX = "wait."
RESERVED_KEYS = DURATION_KEYS | COUNT_KEYS | TRUTH_KEYS | TEXT_KEYS


@dataclass(frozen=True)
class Value:
    """The value in a comparison: its text and, if it is a number, that number; times in ms."""

    text: str
    number: float | None = None


@dataclass(frozen=True)
class Word:
    """Text to search for in the values of all attributes, and in names and services."""

    text: str


@dataclass(frozen=True)
class Comparison:
    """``key operator value``."""

    key: str
    operator: Operator
    value: Value


@dataclass(frozen=True)
class Exists:
    """``key exists``."""

    key: str


@dataclass(frozen=True)
class Not:
    """``not term``."""

    term: "Tree"


@dataclass(frozen=True)
class All:
    """At least two terms joined by ``and``."""

    terms: tuple["Tree", ...]


@dataclass(frozen=True)
class Either:
    """At least two terms joined by ``or``."""

    terms: tuple["Tree", ...]


Tree = Word | Comparison | Exists | Not | All | Either

_PLAIN = re.compile(r"""(?:[^\s()"=<>~!]|!(?![=~]))+""")


def render(tree: Tree) -> str:
    """Return the text of a tree, which parses to the same tree."""
    match tree:
        case Word(text):
            return _plain_or_quoted(text)
        case Comparison(key, operator, value):
            text = value.text if value.number is not None else quoted(value.text)
            return f"{_plain_or_quoted(key)} {operator} {text}"
        case Exists(key):
            return f"{_plain_or_quoted(key)} exists"
        case Not(term):
            return f"not {_grouped(term)}"
        case All(terms):
            return " and ".join(_grouped(term) for term in terms)
        case Either(terms):
            return " or ".join(_grouped(term) for term in terms)


def quoted(text: str) -> str:
    """Return ``text`` in quotes, with escapes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def key_text(key: str) -> str:
    """Return ``key`` as it is written in a filter: in quotes if necessary."""
    return _plain_or_quoted(key)


def _plain_or_quoted(text: str) -> str:
    plain = _PLAIN.fullmatch(text) is not None and text.lower() not in KEYWORDS
    return text if plain else quoted(text)


def _grouped(tree: Tree) -> str:
    return f"({render(tree)})" if isinstance(tree, All | Either) else render(tree)
