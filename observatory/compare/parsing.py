"""A filter's text as a tree: ``filter`` has the grammar."""

import math
import re
from typing import NamedTuple

from observatory.compare.filter import (
    COUNT_KEYS,
    DURATION_KEYS,
    KEYWORDS,
    OPERATORS,
    ORDERING,
    TEXT_KEYS,
    TRUTH_KEYS,
    WAIT_PREFIX,
    All,
    Comparison,
    Either,
    Exists,
    Not,
    Tree,
    Value,
    Word,
)

LENGTH_MAX = 4_000
DEPTH_MAX = 40
TERMS_MAX = 100

MILLISECONDS = {
    **{"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3, "min": 60e3, "m": 60e3},
    **{"h": 3600e3, "d": 86_400e3},
}
NO_UNIT = f"is no unit of time: those are {', '.join(MILLISECONDS)}."


class BadFilter(ValueError):
    """A filter that can't be read: what was expected instead, and where (0 is the first letter)."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class Token(NamedTuple):
    """A piece of the text; ``kind`` is the text itself where that is punctuation or a keyword."""

    kind: str
    text: str
    position: int


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<operator>!=|!~|>=|<=|[=<>~])
        |(?P<bracket>[()])
        |"(?P<quoted>(?:\\["\\]|[^"\\]|\\(?!["\\]))*)"
        |(?P<word>(?:[^\s()"=<>~!]|!(?![=~]))+)
    )""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r'\\(["\\])')
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)([a-zµ]*)", re.ASCII)


def parse(text: str) -> Tree | None:
    """The tree of a filter; None for an empty one, which every trace fits.

    Raises:
        BadFilter: it can't be read.
    """
    if len(text) > LENGTH_MAX:
        raise BadFilter(f"A filter has at most {LENGTH_MAX:,} letters.", LENGTH_MAX)
    tokens = _tokens(text)
    if not tokens:
        return None
    return _Parser(tokens, len(text)).everything()


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            if text[at] == '"':
                raise BadFilter("This quote is never closed.", at)
            raise BadFilter(f"{text[at]!r} can't stand here.", at)
        group = found.lastgroup or ""
        piece = found[group]
        position = found.start(group)
        if group == "quoted":
            tokens.append(Token("quoted", _ESCAPED.sub(r"\1", piece), position - 1))
        elif group == "word":
            lower = piece.lower()
            tokens.append(Token(lower if lower in KEYWORDS else "word", piece, position))
        elif group == "operator":
            tokens.append(Token("operator", piece, position))
        else:
            tokens.append(Token(piece, piece, position))
        at = found.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens, one method a rule of the grammar."""

    def __init__(self, tokens: list[Token], end: int) -> None:
        self._tokens = tokens
        self._at = 0
        self._end = Token("end", "the end", end)
        self._depth = 0
        self._terms = 0

    def everything(self) -> Tree:
        tree = self._expression()
        token = self._peek()
        if token.kind == ")":
            raise BadFilter("This bracket closes nothing.", token.position)
        if token.kind != "end":
            raise BadFilter(
                f"Expected “and” or “or” before {token.text}, or a key before it.", token.position
            )
        return tree

    def _peek(self, ahead: int = 0) -> Token:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else self._end

    def _next(self) -> Token:
        token = self._peek()
        self._at += 1
        return token

    def _expression(self) -> Tree:
        terms = [self._conjunction()]
        while self._peek().kind == "or":
            self._next()
            terms.append(self._conjunction())
        return _joined(Either, terms)

    def _conjunction(self) -> Tree:
        terms = [self._term()]
        while self._peek().kind in ("and", "not", "(", "word", "quoted"):
            if self._peek().kind == "and":
                self._next()
            terms.append(self._term())
        return _joined(All, terms)

    def _term(self) -> Tree:
        token = self._next()
        self._depth += 1
        self._terms += 1
        if self._depth > DEPTH_MAX or self._terms > TERMS_MAX:
            raise BadFilter("This filter is too long: split it in two.", token.position)
        try:
            return self._term_from(token)
        finally:
            self._depth -= 1

    def _term_from(self, token: Token) -> Tree:
        if token.kind == "not":
            return Not(self._term())
        if token.kind == "(":
            inner = self._expression()
            if self._next().kind != ")":
                raise BadFilter("This bracket is never closed.", token.position)
            return inner
        if token.kind in ("word", "quoted"):
            following = self._peek().kind
            if following == "operator":
                return self._comparison(token)
            if following == "exists":
                self._next()
                return Exists(_key(token))
            return Word(token.text)
        raise BadFilter(
            f"Expected a word or a comparison such as duration > 2 s, and found {token.text}.",
            token.position,
        )

    def _comparison(self, key: Token) -> Tree:
        operator = self._next()
        value = self._next()
        if value.kind not in ("word", "quoted"):
            raise BadFilter(
                f"Expected a value after {key.text} {operator.text}, and found {value.text}.",
                value.position,
            )
        name = _key(key)
        sign = OPERATORS[OPERATORS.index(operator.text)]
        return Comparison(
            name, sign, _checked(name, operator, self._value(name, value), value.position)
        )

    def _value(self, key: str, token: Token) -> Value:
        """A value of ``key``, with the unit that may stand a space after its number."""
        if token.kind == "quoted":
            return Value(token.text)
        found = _NUMBER.fullmatch(token.text)
        if found is None:
            return Value(token.text)
        if found[2] and found[2] not in MILLISECONDS:
            if _is_timed(key):
                raise BadFilter(f"{found[2]} {NO_UNIT}", token.position + found.start(2))
            return Value(token.text)
        number, unit, text = float(found[1]), found[2], token.text
        after = self._peek()
        # A key could be named like a unit: then an operator follows.
        of_key = self._peek(1).kind in ("operator", "exists")
        if not unit and after.kind == "word" and after.text in MILLISECONDS and not of_key:
            unit, text = self._next().text, f"{text} {after.text}"
        elif not unit and _is_timed(key) and _could_be_unit(after) and not of_key:
            raise BadFilter(
                f"{after.text} {NO_UNIT} Before a word to look for, write “and”.", after.position
            )
        if unit:
            number *= MILLISECONDS[unit]
        if not math.isfinite(number):
            raise BadFilter(f"{text} is too large a number.", token.position)
        return Value(text, number)


def _joined(kind: type[All] | type[Either], terms: list[Tree]) -> Tree:
    """One term, or what joins several; brackets within the same kind say nothing more."""
    if len(terms) == 1:
        return terms[0]
    flat: list[Tree] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, kind) else (term,))
    return kind(tuple(flat))


def _key(token: Token) -> str:
    if not token.text:
        raise BadFilter("A key has at least one letter.", token.position)
    return token.text


def _is_timed(key: str) -> bool:
    return key in DURATION_KEYS or key.startswith(WAIT_PREFIX)


def _could_be_unit(token: Token) -> bool:
    return token.kind == "word" and token.text.isalpha()


def _checked(key: str, operator: Token, value: Value, position: int) -> Value:
    """The value, if ``key`` can be compared with it in this way."""
    timed = _is_timed(key)
    if (timed or key in COUNT_KEYS or key in TRUTH_KEYS) and "~" in operator.text:
        raise BadFilter(
            f"{key} is no text, so {operator.text} can't search it: use = or >.", operator.position
        )
    if timed and value.number is None:
        raise BadFilter(f"{key} is compared with a time, such as 2 s or 300 ms.", position)
    if key in COUNT_KEYS and value.number is None:
        raise BadFilter(f"{key} is compared with a number.", position)
    if key in TRUTH_KEYS and (
        operator.text not in ("=", "!=") or value.text.lower() not in ("true", "false")
    ):
        raise BadFilter(f"{key} is = true or = false.", position)
    if operator.text in ORDERING and value.number is None:
        raise BadFilter(
            f"{operator.text} compares numbers and times: expected one, and found {value.text!r}.",
            position,
        )
    if operator.text in ORDERING and key in TEXT_KEYS:
        raise BadFilter(f"{key} is text: compare it with =, !=, ~ or !~.", operator.position)
    return value
