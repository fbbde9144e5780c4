"""What security rules are made of, once ``language`` has read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Node:
    """An expression; ``at`` is the offset of its first character in the rules."""

    at: int


@dataclass(frozen=True)
class Unread(Node):
    """An expression that this reader doesn't understand."""


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
class Member(Node):
    target: Node
    name: str


@dataclass(frozen=True)
class Index(Node):
    target: Node
    key: Node


@dataclass(frozen=True)
class Call(Node):
    """A function, or where there is a target, its method."""

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
class All(Node):
    """``a && b && c``"""

    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Any_(Node):
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
    """One ``allow``, from its first to its last line; no condition allows always."""

    first_line: int
    last_line: int
    methods: tuple[str, ...]
    condition: Node | None


@dataclass
class Block:
    """What lies within the braces of a ``match``; ``pattern`` has its path's segments."""

    pattern: tuple[str, ...] = ()
    functions: dict[str, Function] = field(default_factory=dict)
    allows: list[Allow] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
