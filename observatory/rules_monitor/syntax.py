"""The syntax tree of security rules, as ``language`` parses them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Node:
    """An expression; ``at`` is the offset of its first character in the rules."""

    at: int


@dataclass(frozen=True)
class Unparsed(Node):
    """An expression that the parser does not support."""


@dataclass(frozen=True)
class Literal(Node):
    value: Any


@dataclass(frozen=True)
class Name(Node):
    name: str


@dataclass(frozen=True)
class ListOf(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True)
class MapOf(Node):
    """``{key: value, …}``"""

    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True)
class PathOf(Node):
    """``/documents/$(id)``: each segment is text or an expression."""

    segments: tuple[str | Node, ...]


@dataclass(frozen=True)
class Member(Node):
    target: Node
    name: str


@dataclass(frozen=True)
class Index(Node):
    target: Node
    key: Node


@dataclass(frozen=True)
class Range(Node):
    """``target[first:end]``; without an end up to the last item."""

    target: Node
    first: Node
    end: Node | None


@dataclass(frozen=True)
class Call(Node):
    """A call of a function or, with a target, of a method."""

    target: Node | None
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Unary(Node):
    operator: str
    operand: Node


@dataclass(frozen=True)
class Binary(Node):
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class And(Node):
    """``a && b && c``"""

    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Or(Node):
    """``a || b || c``"""

    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Conditional(Node):
    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True)
class Function:
    parameters: tuple[str, ...]
    lets: dict[str, Node]
    result: Node


@dataclass(frozen=True)
class Allow:
    """An ``allow`` statement with its first and last line; without a condition it always allows."""

    first_line: int
    last_line: int
    methods: tuple[str, ...]
    condition: Node | None


@dataclass
class Block:
    """The contents of a ``match``; ``pattern`` holds the segments of its path."""

    pattern: tuple[str, ...] = ()
    functions: dict[str, Function] = field(default_factory=dict)
    allows: list[Allow] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
