"""Which line said no: the innermost expression of a denied ``allow`` that was false, or failed.

The emulator names the ``allow`` alone. Its message has all that the rules looked at, so the
condition is worked out here once more. The answer counts only if it agrees with the emulator's;
where it doesn't, or something isn't understood, the ``allow`` itself is all that is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from observatory.rules_monitor import language, syntax, values
from observatory.rules_monitor.evaluation import READS, SET, Evaluation, Outcome
from observatory.rules_monitor.syntax import Node
from observatory.rules_monitor.typed import UNDEFINED
from observatory.rules_monitor.values import Failed, NotKnown

# The rules' own limit on how deep functions call functions.
CALLS_MAX = 20
# What the words that stand for several methods cover.
METHODS = {"read": READS, "write": SET | {"delete"}}
_WILDCARD = re.compile(r"\{\s*(\w+)\s*(=\s*\*\*\s*)?\}", re.ASCII)


@dataclass(frozen=True)
class Scope:
    """What names mean at one place: values, ``let`` expressions, and functions, each of which sees
    no more than the block it is in does."""

    names: Mapping[str, Any]
    lets: Mapping[str, Node] = field(default_factory=dict)
    functions: Mapping[str, syntax.Function] = field(default_factory=dict)
    globals: Mapping[str, Any] = field(default_factory=dict)
    calls: int = 0


def allows_about(evaluation: Evaluation) -> tuple[tuple[int, bool], ...]:
    """Those of the evaluation's ``allows`` that are about its path and method; all, where the rules
    can't be read."""
    try:
        root = language.parse(evaluation.rules)
    except language.NotUnderstood:
        return evaluation.allows
    return tuple(
        (line, said)
        for line, said in evaluation.allows
        if any(_is_about(*found, evaluation) for found in language.allows_at(root, line))
    )


def line_that_said_no(evaluation: Evaluation, allow_line: int) -> int | None:
    """The line of the innermost expression that kept the ``allow`` at ``allow_line`` from being
    true; None where that isn't known."""
    try:
        root = language.parse(evaluation.rules)
        found = [
            (blocks, allow)
            for blocks, allow in language.allows_at(root, allow_line)
            if _is_about(blocks, allow, evaluation)
        ]
        if len(found) != 1:  # several on one line: the emulator doesn't say which
            return None
        ((blocks, allow),) = found
        scope = _scope(blocks, evaluation)
        if allow.condition is None or scope is None:
            return None
        if _agrees(_outcome(allow.condition, scope), evaluation):
            node = _blamed(allow.condition, scope)
            return language.line_at(evaluation.rules, node.at)
    except (language.NotUnderstood, NotKnown, RecursionError):
        pass
    return None


def _is_about(
    blocks: tuple[syntax.Block, ...], allow: syntax.Allow, evaluation: Evaluation
) -> bool:
    asked = SET if evaluation.method == "set" else {evaluation.method}
    allowed = {method for word in allow.methods for method in METHODS.get(word, {word})}
    return bool(asked & allowed) and _scope(blocks, evaluation) is not None


def _scope(blocks: tuple[syntax.Block, ...], evaluation: Evaluation) -> Scope | None:
    """What names mean in the innermost of ``blocks``; None when they are about another path."""
    names: dict[str, Any] = {"request": evaluation.request, "resource": evaluation.resource}
    functions: dict[str, syntax.Function] = {}
    rest = ["databases", evaluation.database, "documents", *evaluation.path.split("/")]
    for block in blocks:
        functions.update(block.functions)
        for part in block.pattern:
            wildcard = _WILDCARD.fullmatch(part)
            if wildcard and wildcard[2]:
                names[wildcard[1]] = UNDEFINED  # a path, which nothing here computes with
                rest = []
            elif not rest or (wildcard is None and part != rest[0]):
                return None
            else:
                if wildcard:
                    names[wildcard[1]] = rest[0]
                rest = rest[1:]
    return None if rest else Scope(names, functions=functions, globals=names)


def _agrees(outcome: Outcome, evaluation: Evaluation) -> bool:
    if len(allows_about(evaluation)) == 1 and evaluation.method != "set":
        return outcome == evaluation.outcome
    return outcome != "allow"


def _outcome(node: Node, scope: Scope) -> Outcome:
    try:
        return "allow" if _truth(_value(node, scope)) else "deny"
    except Failed:
        return "error"


def _said_no(node: Node, scope: Scope) -> bool:
    return _outcome(node, scope) != "allow"


def _blamed(node: Node, scope: Scope) -> Node:
    """The innermost expression that makes ``node``, which is false or fails, so."""
    match node:
        case syntax.All(operands=operands):
            return next(
                (_blamed(operand, scope) for operand in operands if _said_no(operand, scope)), node
            )
        case syntax.Conditional(condition=condition, then=then, otherwise=otherwise):
            try:
                chosen = then if _truth(_value(condition, scope)) else otherwise
            except Failed:
                return condition
            return _blamed(chosen, scope)
        case syntax.Call(target=None, name=name) if name in scope.functions:
            function, inner = _entered(node, scope)
            return _blamed(function.result, inner)
        case syntax.Name(name=name) if name in scope.lets:
            return _blamed(scope.lets[name], scope)
    return node


def _value(node: Node, scope: Scope) -> Any:  # noqa: PLR0911, PLR0912  # one return a kind
    match node:
        case syntax.Literal(value=value):
            return value
        case syntax.Name(name=name):
            return _named(name, scope)
        case syntax.ListOf(items=items):
            return [_value(item, scope) for item in items]
        case syntax.Member(target=target, name=name):
            return values.member(_value(target, scope), name)
        case syntax.Index(target=target, key=key):
            return values.member(_value(target, scope), _value(key, scope))
        case syntax.Unary(operator=operator, operand=operand):
            return values.negated(operator, _value(operand, scope))
        case syntax.Binary(operator="is", left=left, right=syntax.Name(name=kind)):
            return values.binary("is", _value(left, scope), kind)
        case syntax.Binary(operator=operator, left=left, right=right):
            return values.binary(operator, _value(left, scope), _value(right, scope))
        case syntax.All(operands=operands):
            return _decided(operands, scope, by=False)
        case syntax.Any_(operands=operands):
            return _decided(operands, scope, by=True)
        case syntax.Conditional(condition=condition, then=then, otherwise=otherwise):
            return _value(then if _truth(_value(condition, scope)) else otherwise, scope)
        case syntax.Call(target=None, name=name) if name in scope.functions:
            function, inner = _entered(node, scope)
            return _value(function.result, inner)
        case syntax.Call(target=target, name=name, arguments=arguments) if target is not None:
            given = [_value(argument, scope) for argument in arguments]
            return values.method(_value(target, scope), name, given)
    raise NotKnown(type(node).__name__)


def _named(name: str, scope: Scope) -> Any:
    if name in scope.lets:
        return _value(scope.lets[name], replace(scope, calls=_deeper(scope)))
    if name not in scope.names:
        raise NotKnown(name)
    return scope.names[name]


def _decided(operands: tuple[Node, ...], scope: Scope, *, by: bool) -> bool:
    """The value of a chain of ``&&`` or ``||``: one operand that is ``by`` decides it, even after
    one that failed."""
    failed: Failed | None = None
    for operand in operands:
        try:
            if _truth(_value(operand, scope)) is by:
                return by
        except Failed as error:
            failed = failed or error
    if failed:
        raise failed
    return not by


def _truth(value: Any) -> bool:
    if not isinstance(values.known(value), bool):
        raise Failed("not a bool")
    return bool(value)


def _entered(call: Node, scope: Scope) -> tuple[syntax.Function, Scope]:
    if not isinstance(call, syntax.Call):
        raise NotKnown("call")
    function = scope.functions[call.name]
    if len(call.arguments) != len(function.parameters):
        raise NotKnown(call.name)
    given: dict[str, Any] = {}
    for parameter, argument in zip(function.parameters, call.arguments, strict=True):
        given[parameter] = _value(argument, scope)
    names = {**scope.globals, **given}
    return function, replace(scope, names=names, lets=function.lets, calls=_deeper(scope))


def _deeper(scope: Scope) -> int:
    if scope.calls >= CALLS_MAX:
        raise NotKnown("calls")
    return scope.calls + 1
