"""Parse the text of a filter into a tree. The grammar is in ``filter``."""

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
NOT_A_UNIT = f"is not a unit of time: use one of {', '.join(MILLISECONDS)}."


class BadFilter(ValueError):
    """An invalid filter; the message says what is expected at ``position``, counted from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class Token(NamedTuple):
    """A token; ``kind`` is the text itself for brackets and keywords."""

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
    """Return the tree of a filter; None for an empty one, which every trace matches.

    Raises:
        BadFilter: the filter is invalid.
    """
    if len(text) > LENGTH_MAX:
        raise BadFilter(f"A filter can have at most {LENGTH_MAX:,} characters.", LENGTH_MAX)
    tokens = _tokens(text)
    if not tokens:
        return None
    return _Parser(tokens, len(text)).whole_filter()


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            if text[at] == '"':
                raise BadFilter("This quote is never closed.", at)
            raise BadFilter(f"Unexpected {text[at]!r}.", at)
        group = match.lastgroup or ""
        piece = match[group]
        position = match.start(group)
        if group == "quoted":
            tokens.append(Token("quoted", _ESCAPED.sub(r"\1", piece), position - 1))
        elif group == "word":
            lower = piece.lower()
            tokens.append(Token(lower if lower in KEYWORDS else "word", piece, position))
        elif group == "operator":
            tokens.append(Token("operator", piece, position))
        else:
            tokens.append(Token(piece, piece, position))
        at = match.end()
    return tokens


class _Parser:
    """A recursive descent parser, with a method for each rule of the grammar."""

    def __init__(self, tokens: list[Token], end: int) -> None:
        self._tokens = tokens
        self._at = 0
        self._end = Token("end", "the end", end)
        self._depth = 0
        self._terms = 0

    def whole_filter(self) -> Tree:
        tree = self._expression()
        token = self._peek()
        if token.kind == ")":
            raise BadFilter("This closing bracket has no opening bracket.", token.position)
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
            raise BadFilter(
                "This filter has too many terms or brackets: split it in two.", token.position
            )
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
            f"Expected a word or a comparison such as duration > 2 s, but found {token.text}.",
            token.position,
        )

    def _comparison(self, key: Token) -> Tree:
        operator = self._next()
        value = self._next()
        if value.kind not in ("word", "quoted"):
            raise BadFilter(
                f"Expected a value after {key.text} {operator.text}, but found {value.text}.",
                value.position,
            )
        name = _key(key)
        sign = OPERATORS[OPERATORS.index(operator.text)]
        return Comparison(
            name, sign, _checked(name, operator, self._value(name, value), value.position)
        )

    def _value(self, key: str, token: Token) -> Value:
        """Return the value of ``key``, with its unit, which may follow the number after a space."""
        if token.kind == "quoted":
            return Value(token.text)
        match = _NUMBER.fullmatch(token.text)
        if match is None:
            return Value(token.text)
        if match[2] and match[2] not in MILLISECONDS:
            if _is_timed(key):
                raise BadFilter(f"{match[2]} {NOT_A_UNIT}", token.position + match.start(2))
            return Value(token.text)
        number, unit, text = float(match[1]), match[2], token.text
        following = self._peek()
        # The next word may be a key with the name of a unit: then an operator follows it.
        is_key = self._peek(1).kind in ("operator", "exists")
        if not unit and following.kind == "word" and following.text in MILLISECONDS and not is_key:
            unit, text = self._next().text, f"{text} {following.text}"
        elif not unit and _is_timed(key) and _could_be_unit(following) and not is_key:
            raise BadFilter(
                f"{following.text} {NOT_A_UNIT} To search for a word, write “and” before it.",
                following.position,
            )
        if unit:
            number *= MILLISECONDS[unit]
        if not math.isfinite(number):
            raise BadFilter(f"{text} is too large a number.", token.position)
        return Value(text, number)


def _joined(kind: type[All] | type[Either], terms: list[Tree]) -> Tree:
    """Return one term, or several joined; brackets around the same kind are dropped."""
    if len(terms) == 1:
        return terms[0]
    flat: list[Tree] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, kind) else (term,))
    return kind(tuple(flat))


def _key(token: Token) -> str:
    if not token.text:
        raise BadFilter("A key must have at least one character.", token.position)
    return token.text


def _is_timed(key: str) -> bool:
    return key in DURATION_KEYS or key.startswith(WAIT_PREFIX)


def _could_be_unit(token: Token) -> bool:
    return token.kind == "word" and token.text.isalpha()


def _checked(key: str, operator: Token, value: Value, position: int) -> Value:
    """Return the value.

    Raises:
        BadFilter: ``key`` has values of another type, or does not support the operator.
    """
    timed = _is_timed(key)
    if (timed or key in COUNT_KEYS or key in TRUTH_KEYS) and "~" in operator.text:
        raise BadFilter(
            f"{key} is not text, so {operator.text} does not apply to it: use = or >.",
            operator.position,
        )
    if timed and value.number is None:
        raise BadFilter(f"{key} needs a time, such as 2 s or 300 ms.", position)
    if key in COUNT_KEYS and value.number is None:
        raise BadFilter(f"{key} needs a number.", position)
    if key in TRUTH_KEYS and (
        operator.text not in ("=", "!=") or value.text.lower() not in ("true", "false")
    ):
        raise BadFilter(f"{key} must be = true or = false.", position)
    if operator.text in ORDERING and value.number is None:
        raise BadFilter(
            f"{operator.text} compares numbers and times, but found {value.text!r}.",
            position,
        )
    if operator.text in ORDERING and key in TEXT_KEYS:
        raise BadFilter(f"{key} is text: compare it with =, !=, ~ or !~.", operator.position)
    return value
