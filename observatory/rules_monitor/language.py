"""Parse the language of security rules, as far as finding the deciding line requires.

Grammar: https://firebase.google.com/docs/reference/rules/rules. A statement that the parser does
not support becomes ``Unparsed`` and leaves the rest of the rules readable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from observatory.rules_monitor.syntax import (
    Allow,
    And,
    Binary,
    Block,
    Call,
    Conditional,
    Function,
    Index,
    ListOf,
    Literal,
    MapOf,
    Member,
    Name,
    Node,
    Or,
    PathOf,
    Range,
    Unary,
    Unparsed,
)


class NotSupported(Exception):
    """The parser met syntax that it does not support."""


@lru_cache(maxsize=8)
def parse(rules: str) -> Block:
    """Return the outermost block of ``rules``.

    Raises:
        NotSupported: not even the structure of the rules can be parsed.
    """
    try:
        return _Parser(rules).file()
    except RecursionError:
        raise NotSupported("nested too deeply") from None


def allows_at(block: Block, line: int) -> Iterator[tuple[tuple[Block, ...], Allow]]:
    """Yield each ``allow`` on that line with its enclosing blocks, outermost first."""
    for allow in block.allows:
        if allow.first_line <= line <= allow.last_line:
            yield (block,), allow
    for inner in block.blocks:
        for enclosing, allow in allows_at(inner, line):
            yield (block, *enclosing), allow


_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+", re.ASCII)
_STRING = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_PATTERN = re.compile(r"(?:/(?:\{\s*\w+\s*(?:=\s*\*\*\s*)?\}|[^\s/{}]+))+", re.ASCII)
_SEGMENT = re.compile(r"\(default\)|[\w.~%@+*-]+", re.ASCII)
_OPERAND_END = re.compile(r"&&|\|\||[?:;,)\]}]")
_TOKEN = re.compile(
    rf"{_STRING.pattern}|//[^\n]*|/\*.*?\*/|&&|\|\||\s+|\w+|[^;]", re.DOTALL | re.ASCII
)
_STATEMENT_END = re.compile(r"(?>[^;'\"/]+|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|//[^\n]*|/)*+;")
_MEMBERSHIP = re.compile(r"(?:in|is)\b")
_EQUALITY = re.compile(r"==|!=")
_RELATION = re.compile(r"<=|>=|<|>")
_SUM = re.compile(r"[+-]")
_PRODUCT = re.compile(r"[*/%]")
_UNARY = re.compile(r"!(?!=)|-")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def file(self) -> Block:
        if self._word("rules_version"):
            self._statement_end()
        self._require("service")
        while not self._sign("{"):
            if self._any_word() is None and not self._sign("."):
                raise NotSupported("service")
        return self._block(())

    def _block(self, pattern: tuple[str, ...]) -> Block:
        block = Block(pattern)
        while not self._sign("}"):
            if self._word("match"):
                path = self._take(_PATTERN)
                if path is None:
                    raise NotSupported("match")
                self._require("{")
                block.blocks.append(self._block(tuple(path.strip("/").split("/"))))
            elif self._word("function"):
                name = self._any_word()
                if name is None:
                    raise NotSupported("function")
                block.functions[name] = self._function()
            elif self._word("allow"):
                block.allows.append(self._allow())
            else:
                raise NotSupported("a block")
        return block

    def _function(self) -> Function:
        self._require("(")
        parameters: list[str] = []
        while not self._sign(")"):
            parameters.append(self._any_word() or "")
            self._sign(",")
            if not parameters[-1]:
                raise NotSupported("a parameter")
        self._require("{")
        lets: dict[str, Node] = {}
        while self._word("let"):
            name = self._any_word() or ""
            self._require("=")
            lets[name] = self._statement()
        self._require("return")
        function = Function(tuple(parameters), lets, self._statement())
        self._require("}")
        return function

    def _allow(self) -> Allow:
        first_line = line_at(self._text, self._at - 1)
        methods = [self._any_word() or ""]
        while self._sign(","):
            methods.append(self._any_word() or "")
        condition = None
        if self._sign(":"):
            self._require("if")
            condition = self._statement()
        else:
            self._require(";")
        return Allow(first_line, line_at(self._text, self._at - 1), tuple(methods), condition)

    def _statement(self) -> Node:
        self._skip()
        start = self._at
        try:
            node = self._expression()
            self._require(";")
        except NotSupported:
            self._at = start
            self._statement_end()
            return Unparsed(start)
        return node

    def _statement_end(self) -> None:
        if self._take(_STATEMENT_END) is None:
            raise NotSupported("a statement without an end")

    def _expression(self) -> Node:
        condition = self._or()
        if not self._sign("?"):
            return condition
        then = self._expression()
        self._require(":")
        return Conditional(condition.at, condition, then, self._expression())

    def _or(self) -> Node:
        return self._chain("||", self._and, Or)

    def _and(self) -> Node:
        return self._chain("&&", self._operand, And)

    def _operand(self) -> Node:
        """Parse an operand of ``&&``; one that is not supported does not affect its neighbours."""
        self._skip()
        start = self._at
        try:
            node = self._membership()
            self._skip()
            if not _OPERAND_END.match(self._text, self._at):
                raise NotSupported("an operand")
        except NotSupported:
            self._at = start
            self._skip_operand()
            return Unparsed(start)
        return node

    def _skip_operand(self) -> None:
        start, depth = self._at, 0
        while token := _TOKEN.match(self._text, self._at):
            if depth == 0 and _OPERAND_END.match(self._text, self._at):
                break
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token[0], 0)
            self._at = token.end()
        if self._at == start:
            raise NotSupported("an operand")

    def _chain(
        self,
        operator: str,
        parse_operand: Callable[[], Node],
        build: Callable[[int, tuple[Node, ...]], Node],
    ) -> Node:
        operands = [parse_operand()]
        while self._sign(operator):
            operands.append(parse_operand())
        return operands[0] if len(operands) == 1 else build(operands[0].at, tuple(operands))

    def _membership(self) -> Node:
        return self._binary(_MEMBERSHIP, self._equality)

    def _equality(self) -> Node:
        return self._binary(_EQUALITY, self._relation)

    def _relation(self) -> Node:
        return self._binary(_RELATION, self._sum)

    def _sum(self) -> Node:
        return self._binary(_SUM, self._product)

    def _product(self) -> Node:
        return self._binary(_PRODUCT, self._unary)

    def _binary(self, operators: re.Pattern[str], parse_operand: Callable[[], Node]) -> Node:
        left = parse_operand()
        while operator := self._take(operators):
            left = Binary(left.at, operator, left, parse_operand())
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
                name = self._any_word()
                if name is None:
                    raise NotSupported("a member")
                if self._sign("("):
                    node = Call(node.at, node, name, self._items(")"))
                else:
                    node = Member(node.at, node, name)
            elif self._sign("["):
                node = self._index_or_range(node)
                self._require("]")
            else:
                return node

    def _index_or_range(self, target: Node) -> Node:
        if self._sign(":"):
            first: Node = Literal(self._at, 0)
        else:
            first = self._expression()
            if not self._sign(":"):
                return Index(target.at, target, first)
        self._skip()
        end = None if self._text.startswith("]", self._at) else self._expression()
        return Range(target.at, target, first, end)

    def _primary(self) -> Node:  # noqa: PLR0911  # one return a kind
        self._skip()
        at = self._at
        if self._sign("("):
            node = self._expression()
            self._require(")")
            return node
        if self._sign("["):
            return ListOf(at, self._items("]"))
        if self._sign("{"):
            return MapOf(at, self._entries())
        if self._text.startswith("/", self._at):
            return PathOf(at, self._path_segments())
        if text := self._take(_STRING):
            return Literal(at, _unquoted(text))
        if number := self._take(_NUMBER):
            return Literal(at, int(number) if number.isdigit() else float(number))
        name = self._any_word()
        if name is None:
            raise NotSupported("an expression")
        if name in _CONSTANTS:
            return Literal(at, _CONSTANTS[name])
        if self._sign("("):
            return Call(at, None, name, self._items(")"))
        return Name(at, name)

    def _items(self, end: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._sign(end):
            if items:
                self._require(",")
            items.append(self._expression())
        return tuple(items)

    def _entries(self) -> tuple[tuple[Node, Node], ...]:
        entries: list[tuple[Node, Node]] = []
        while not self._sign("}"):
            if entries:
                self._require(",")
            key = self._expression()
            self._require(":")
            entries.append((key, self._expression()))
        return tuple(entries)

    def _path_segments(self) -> tuple[str | Node, ...]:
        segments: list[str | Node] = []
        # A path contains no spaces: `/a /b` is a division.
        while self._text.startswith("/", self._at):
            self._at += 1
            if self._text.startswith("$(", self._at):
                self._at += 2
                segments.append(self._expression())
                self._require(")")
            elif segment := _SEGMENT.match(self._text, self._at):
                self._at = segment.end()
                segments.append(segment[0])
            else:
                raise NotSupported("a path")
        return tuple(segments)

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        self._skip()
        matched = pattern.match(self._text, self._at)
        if matched is None:
            return None
        self._at = matched.end()
        return matched[0]

    def _sign(self, sign: str) -> bool:
        self._skip()
        is_next = self._text.startswith(sign, self._at)
        self._at += len(sign) if is_next else 0
        return is_next

    def _any_word(self) -> str | None:
        return self._take(_NAME)

    def _word(self, word: str) -> bool:
        start = self._at
        if self._any_word() == word:
            return True
        self._at = start
        return False

    def _require(self, token: str) -> None:
        if not (self._word(token) if token.isalpha() else self._sign(token)):
            raise NotSupported(token)


def line_at(text: str, offset: int) -> int:
    """Return the line, counted from 1, of the character at ``offset``."""
    return text.count("\n", 0, offset) + 1


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else _ESCAPES.get(escape[2], escape[2])
