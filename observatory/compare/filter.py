"""The filter language: ``state = ticketed and duration > 2 s``, as a tree, and as text again.

    expression  = conjunction { "or" conjunction }
    conjunction = term { [ "and" ] term }
    term        = "not" term | "(" expression ")" | KEY OPERATOR VALUE | KEY "exists" | WORD
    OPERATOR    = "=" | "!=" | ">" | ">=" | "<" | "<=" | "~" | "!~"

Anything may be quoted; within quotes a backslash stands before a quote or a backslash. Reading it
is ``parsing``'s business; what the keys mean, and that a trace fits when one of its spans does,
``matching``'s.
"""

import re
from dataclasses import dataclass
from typing import Literal

Operator = Literal["=", "!=", ">", ">=", "<", "<=", "~", "!~"]
OPERATORS: tuple[Operator, ...] = ("=", "!=", ">", ">=", "<", "<=", "~", "!~")
ORDERING = frozenset({">", ">=", "<", "<="})
KEYWORDS = frozenset({"and", "or", "not", "exists"})

# What a key's values are. Every other key is an attribute, whose values are text or numbers.
DURATION_KEYS = frozenset({"duration", "span.duration"})
COUNT_KEYS = frozenset({"spans", "errors", "orphans", "uncovered", "attempts"})
TRUTH_KEYS = frozenset({"error"})
TEXT_KEYS = frozenset({"name", "service", "hop", "kind", "status", "root", "trace", "missing_hop"})
WAIT_PREFIX = "wait."
RESERVED_KEYS = DURATION_KEYS | COUNT_KEYS | TRUTH_KEYS | TEXT_KEYS


@dataclass(frozen=True)
class Value:
    """What a key is compared with: its text, and its number (a time in ms) where it is one."""

    text: str
    number: float | None = None


@dataclass(frozen=True)
class Word:
    """Text that is looked for in names, services and promoted attributes."""

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
    """What doesn't match ``term``."""

    term: "Tree"


@dataclass(frozen=True)
class All:
    """What matches every one of at least two terms."""

    terms: tuple["Tree", ...]


@dataclass(frozen=True)
class Either:
    """What matches one of at least two terms."""

    terms: tuple["Tree", ...]


Tree = Word | Comparison | Exists | Not | All | Either

_PLAIN = re.compile(r"""(?:[^\s()"=<>~!]|!(?![=~]))+""")


def render(tree: Tree) -> str:
    """The text of a tree, which parses as that tree again."""
    match tree:
        case Word(text):
            return _plain_or_quoted(text)
        case Comparison(key, operator, value):
            shown = value.text if value.number is not None else quoted(value.text)
            return f"{_plain_or_quoted(key)} {operator} {shown}"
        case Exists(key):
            return f"{_plain_or_quoted(key)} exists"
        case Not(term):
            return f"not {_grouped(term)}"
        case All(terms):
            return " and ".join(_grouped(term) for term in terms)
        case Either(terms):
            return " or ".join(_grouped(term) for term in terms)


def quoted(text: str) -> str:
    """``text`` in quotes, as one value of the language."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def key_text(key: str) -> str:
    """``key`` as filters write it."""
    return _plain_or_quoted(key)


def _plain_or_quoted(text: str) -> str:
    plain = _PLAIN.fullmatch(text) is not None and text.lower() not in KEYWORDS
    return text if plain else quoted(text)


def _grouped(tree: Tree) -> str:
    return f"({render(tree)})" if isinstance(tree, All | Either) else render(tree)
