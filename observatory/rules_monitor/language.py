"""The language of security rules, as far as it takes to find the line that said no.

Grammar: https://firebase.google.com/docs/reference/rules/rules. What isn't understood (paths, for
one) becomes ``Unread`` where it stands, and leaves the rest readable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from observatory.rules_monitor.syntax import (
    All,
    Allow,
    Any_,
    Binary,
    Block,
    Call,
    Conditional,
    Function,
    Index,
    ListOf,
    Literal,
    Member,
    Name,
    Node,
    Unary,
    Unread,
)


class NotUnderstood(Exception):
    """The reader met something that it doesn't know."""


@lru_cache(maxsize=8)
def parse(rules: str) -> Block:
    """The outermost block of ``rules``.

    Raises:
        NotUnderstood: they can't be read even roughly.
    """
    try:
        return _Reader(rules).file()
    except RecursionError:
        raise NotUnderstood("it is nested too deeply") from None


def allows_at(block: Block, line: int) -> Iterator[tuple[tuple[Block, ...], Allow]]:
    """Each ``allow`` on that line, with the blocks around it, outermost first."""
    for allow in block.allows:
        if allow.first_line <= line <= allow.last_line:
            yield (block,), allow
    for inner in block.blocks:
        for around, allow in allows_at(inner, line):
            yield (block, *around), allow


_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_STRING = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_PATTERN = re.compile(r"(?:/(?:\{\s*\w+\s*(?:=\s*\*\*\s*)?\}|[^\s/{}]+))+", re.ASCII)
_STATEMENT_END = re.compile(r"(?>[^;'\"/]+|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|//[^\n]*|/)*+;")
_COMPARISON = re.compile(r"==|!=|<=|>=|<|>|(?:in|is)\b")
_SUM = re.compile(r"[+-]")
_PRODUCT = re.compile(r"[*/%]")
_UNARY = re.compile(r"!(?!=)|-")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def file(self) -> Block:
        if self._word("rules_version"):
            self._statement_end()
        self._need("service")
        while not self._sign("{"):
            if self._word_any() is None and not self._sign("."):
                raise NotUnderstood("service")
        return self._block(())

    def _block(self, pattern: tuple[str, ...]) -> Block:
        block = Block(pattern)
        while not self._sign("}"):
            if self._word("match"):
                path = self._take(_PATTERN)
                if path is None:
                    raise NotUnderstood("match")
                self._need("{")
                block.blocks.append(self._block(tuple(path.strip("/").split("/"))))
            elif self._word("function"):
                name = self._word_any()
                if name is None:
                    raise NotUnderstood("function")
                block.functions[name] = self._function()
            elif self._word("allow"):
                block.allows.append(self._allow())
            else:
                raise NotUnderstood("a block")
        return block

    def _function(self) -> Function:
        self._need("(")
        parameters: list[str] = []
        while not self._sign(")"):
            parameters.append(self._word_any() or "")
            self._sign(",")
            if not parameters[-1]:
                raise NotUnderstood("a parameter")
        self._need("{")
        lets: dict[str, Node] = {}
        while self._word("let"):
            name = self._word_any() or ""
            self._need("=")
            lets[name] = self._statement()
        self._need("return")
        function = Function(tuple(parameters), lets, self._statement())
        self._need("}")
        return function

    def _allow(self) -> Allow:
        first_line = line_at(self._text, self._at - 1)
        methods = [self._word_any() or ""]
        while self._sign(","):
            methods.append(self._word_any() or "")
        condition = None
        if self._sign(":"):
            self._need("if")
            condition = self._statement()
        else:
            self._need(";")
        return Allow(first_line, line_at(self._text, self._at - 1), tuple(methods), condition)

    def _statement(self) -> Node:
        self._skip()
        began = self._at
        try:
            node = self._expression()
            self._need(";")
        except NotUnderstood:
            self._at = began
            self._statement_end()
            return Unread(began)
        return node

    def _statement_end(self) -> None:
        if self._take(_STATEMENT_END) is None:
            raise NotUnderstood("a statement without an end")

    def _expression(self) -> Node:
        condition = self._any()
        if not self._sign("?"):
            return condition
        then = self._expression()
        self._need(":")
        return Conditional(condition.at, condition, then, self._expression())

    def _any(self) -> Node:
        return self._chain("||", self._all, Any_)

    def _all(self) -> Node:
        return self._chain("&&", self._comparison, All)

    def _chain(
        self,
        operator: str,
        operand: Callable[[], Node],
        made: Callable[[int, tuple[Node, ...]], Node],
    ) -> Node:
        operands = [operand()]
        while self._sign(operator):
            operands.append(operand())
        return operands[0] if len(operands) == 1 else made(operands[0].at, tuple(operands))

    def _comparison(self) -> Node:
        return self._binary(_COMPARISON, self._sum)

    def _sum(self) -> Node:
        return self._binary(_SUM, self._product)

    def _product(self) -> Node:
        return self._binary(_PRODUCT, self._unary)

    def _binary(self, operators: re.Pattern[str], operand: Callable[[], Node]) -> Node:
        left = operand()
        while operator := self._take(operators):
            left = Binary(left.at, operator, left, operand())
        return left

    def _unary(self) -> Node:
        self._skip()
        at = self._at
        operator = self._take(_UNARY)
        return Unary(at, operator, self._unary()) if operator else self._postfix()

    def _postfix(self) -> Node:
        node = self._primary()
        while True:
            if self._sign("."):
                name = self._word_any()
                if name is None:
                    raise NotUnderstood("a member")
                if self._sign("("):
                    node = Call(node.at, node, name, self._items(")"))
                else:
                    node = Member(node.at, node, name)
            elif self._sign("["):
                node = Index(node.at, node, self._expression())
                self._need("]")
            else:
                return node

    def _primary(self) -> Node:  # noqa: PLR0911  # one return a kind
        self._skip()
        at = self._at
        if self._sign("("):
            node = self._expression()
            self._need(")")
            return node
        if self._sign("["):
            return ListOf(at, self._items("]"))
        if text := self._take(_STRING):
            return Literal(at, _unquoted(text))
        if number := self._take(_NUMBER):
            return Literal(at, int(number) if number.isdigit() else float(number))
        name = self._word_any()
        if name is None:
            raise NotUnderstood("an expression")
        if name in _CONSTANTS:
            return Literal(at, _CONSTANTS[name])
        if self._sign("("):
            return Call(at, None, name, self._items(")"))
        return Name(at, name)

    def _items(self, end: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._sign(end):
            if items:
                self._need(",")
            items.append(self._expression())
        return tuple(items)

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        self._skip()
        found = pattern.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found[0]

    def _sign(self, sign: str) -> bool:
        self._skip()
        found = self._text.startswith(sign, self._at)
        self._at += len(sign) if found else 0
        return found

    def _word_any(self) -> str | None:
        return self._take(_NAME)

    def _word(self, word: str) -> bool:
        began = self._at
        if self._word_any() == word:
            return True
        self._at = began
        return False

    def _need(self, what: str) -> None:
        if not (self._word(what) if what.isalpha() else self._sign(what)):
            raise NotUnderstood(what)


def line_at(text: str, offset: int) -> int:
    """The line, counted from 1, of the character at ``offset``."""
    return text.count("\n", 0, offset) + 1


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])
