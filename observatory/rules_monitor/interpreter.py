"""Evaluate expressions of the rules language over the values that an evaluation was made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from observatory.rules_monitor import methods, syntax, values
from observatory.rules_monitor.syntax import Node
from observatory.rules_monitor.typed import Opaque, Path
from observatory.rules_monitor.values import Failed, Unknown

# The rules engine's own limit on the depth of function calls.
CALLS_MAX = 20


@dataclass(frozen=True)
class Scope:
    """The meaning of names at one place in the rules.

    Functions see the names of the block around them (``globals``), their arguments and ``let``s.
    """

    names: Mapping[str, Any]
    lets: Mapping[str, Node] = field(default_factory=dict)
    functions: Mapping[str, syntax.Function] = field(default_factory=dict)
    globals: Mapping[str, Any] = field(default_factory=dict)
    calls: int = 0


def is_true(node: Node, scope: Scope) -> bool:
    """Evaluate a condition.

    Raises:
        Failed: the rules engine fails to evaluate it, or it is not a bool.
        Unknown: its value cannot be known here.
    """
    value = values.known(value_of(node, scope))
    if not isinstance(value, bool):
        raise Failed("not a bool")
    return value


def value_of(node: Node, scope: Scope) -> Any:  # noqa: PLR0911, PLR0912  # one return a kind
    """Evaluate an expression; raises what ``is_true`` does."""
    match node:
        case syntax.Literal(value=value):
            return value
        case syntax.Name(name=name):
            return _named(name, scope)
        case syntax.ListOf(items=items):
            return [value_of(item, scope) for item in items]
        case syntax.MapOf(entries=entries):
            return _map_of(entries, scope)
        case syntax.PathOf(segments=segments):
            return Path(tuple(_segment(segment, scope) for segment in segments))
        case syntax.Member(target=target, name=name):
            return values.member(value_of(target, scope), name)
        case syntax.Index(target=target, key=key):
            return values.member(value_of(target, scope), value_of(key, scope))
        case syntax.Range(target=target, first=first, end=end):
            start = value_of(first, scope)
            stop = None if end is None else value_of(end, scope)
            return values.part(value_of(target, scope), start, stop)
        case syntax.Unary(operator=operator, operand=operand):
            return values.unary(operator, value_of(operand, scope))
        case syntax.Binary(operator="is", left=left, right=syntax.Name(name=kind)):
            return values.binary("is", value_of(left, scope), kind)
        case syntax.Binary(operator=operator, left=left, right=right):
            return values.binary(operator, value_of(left, scope), value_of(right, scope))
        case syntax.And(operands=operands):
            return _chain(operands, scope, decisive=False)
        case syntax.Or(operands=operands):
            return _chain(operands, scope, decisive=True)
        case syntax.Conditional(condition=condition, then=then, otherwise=otherwise):
            return value_of(then if is_true(condition, scope) else otherwise, scope)
        case syntax.Call():
            return _call(node, scope)
    raise Unknown(type(node).__name__)


def enter(call: syntax.Call, scope: Scope) -> tuple[syntax.Function, Scope]:
    """Return the function that ``call`` calls and the scope inside it."""
    function = scope.functions[call.name]
    if len(call.arguments) != len(function.parameters):
        raise Unknown(call.name)
    arguments: dict[str, Any] = {}
    for parameter, argument in zip(function.parameters, call.arguments, strict=True):
        try:
            arguments[parameter] = value_of(argument, scope)
        except Unknown as error:  # the function may not use this argument
            arguments[parameter] = Opaque(str(error))
    names = {**scope.globals, **arguments}
    return function, replace(scope, names=names, lets=function.lets, calls=_deeper(scope))


def _call(node: syntax.Call, scope: Scope) -> Any:
    if node.target is None and node.name in scope.functions:
        function, inner = enter(node, scope)
        return value_of(function.result, inner)
    arguments = [value_of(argument, scope) for argument in node.arguments]
    match node.target:
        case None:
            return methods.call(node.name, arguments)
        case syntax.Name(name=name) if name not in scope.lets and name not in scope.names:
            return methods.call_in_namespace(name, node.name, arguments)
    return methods.call_method(value_of(node.target, scope), node.name, arguments)


def _named(name: str, scope: Scope) -> Any:
    if name in scope.lets:
        return value_of(scope.lets[name], replace(scope, calls=_deeper(scope)))
    if name not in scope.names:
        raise Unknown(name)
    return scope.names[name]


def _map_of(entries: tuple[tuple[Node, Node], ...], scope: Scope) -> dict[str, Any]:
    result = {}
    for key_node, value_node in entries:
        key = values.known(value_of(key_node, scope))
        if not isinstance(key, str):
            raise Failed("a map key that is not a string")
        result[key] = value_of(value_node, scope)
    return result


def _segment(segment: str | Node, scope: Scope) -> str:
    if isinstance(segment, str):
        return segment
    value = values.known(value_of(segment, scope))
    if not isinstance(value, str):
        raise Unknown("a path segment that is not a string")
    return value


def _chain(operands: tuple[Node, ...], scope: Scope, *, decisive: bool) -> bool:
    """Evaluate a chain of ``&&`` or ``||``.

    One operand with the ``decisive`` value decides, even beside operands that fail or are unknown.
    """
    failure: Failed | None = None
    unknown: Unknown | None = None
    for operand in operands:
        try:
            if is_true(operand, scope) is decisive:
                return decisive
        except Failed as error:
            failure = failure or error
        except Unknown as error:
            unknown = unknown or error
    if unknown or failure:
        raise unknown or failure or Unknown("")
    return not decisive


def _deeper(scope: Scope) -> int:
    if scope.calls >= CALLS_MAX:
        raise Unknown("calls nested too deeply")
    return scope.calls + 1
