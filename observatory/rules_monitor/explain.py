"""Find the line that denied an access: the innermost expression that was false or failed.

The emulator reports only the ``allow``. Its message contains all values that the rules used, so the
condition is evaluated again here. The result counts only if it agrees with the emulator's. If part
of the condition is unknown, for example because it reads another document, an operand of ``&&``
that is known to be false still decides; otherwise only the line of the ``allow`` is known.
"""

from __future__ import annotations

from observatory.rules_monitor import language, syntax
from observatory.rules_monitor.evaluation import Evaluation, Outcome
from observatory.rules_monitor.interpreter import Scope, enter, is_true
from observatory.rules_monitor.matching import allows_about, covers, wildcards
from observatory.rules_monitor.syntax import Node
from observatory.rules_monitor.values import Failed, Unknown


def denying_line(evaluation: Evaluation, allow_line: int) -> int | None:
    """Return the line of the innermost expression that kept the ``allow`` from being true.

    Args:
        evaluation: an evaluation that did not allow the access.
        allow_line: the line of the ``allow``, as the emulator reports it.

    Returns:
        The line, counted from 1; None where it is not known.
    """
    try:
        root = language.parse(evaluation.rules)
        candidates = [
            (blocks, allow)
            for blocks, allow in language.allows_at(root, allow_line)
            if covers(blocks, allow, evaluation)
        ]
        if len(candidates) != 1:  # several on one line: the emulator does not say which
            return None
        ((blocks, allow),) = candidates
        if allow.condition is None:
            return None
        scope = _scope(blocks, evaluation)
        if _agrees(_outcome(allow.condition, scope), evaluation):
            return language.line_at(evaluation.rules, _cause(allow.condition, scope).at)
    except (language.NotSupported, Unknown, RecursionError):
        pass
    return None


def _scope(blocks: tuple[syntax.Block, ...], evaluation: Evaluation) -> Scope:
    names = {
        "request": evaluation.request,
        "resource": evaluation.resource,
        **(wildcards(blocks, evaluation) or {}),
    }
    functions = {name: function for block in blocks for name, function in block.functions.items()}
    return Scope(names, functions=functions, globals=names)


def _agrees(outcome: Outcome, evaluation: Evaluation) -> bool:
    if len(allows_about(evaluation)) == 1 and evaluation.method != "set":
        return outcome == evaluation.outcome
    return outcome != "allow"


def _outcome(node: Node, scope: Scope) -> Outcome:
    try:
        return "allow" if is_true(node, scope) else "deny"
    except Failed:
        return "error"


def _denies(node: Node, scope: Scope) -> bool:
    try:
        return _outcome(node, scope) != "allow"
    except Unknown:
        return False


def _cause(node: Node, scope: Scope) -> Node:  # noqa: PLR0911  # one return a kind
    """Return the innermost expression that explains why ``node`` is false or fails."""
    match node:
        case syntax.And(operands=operands):
            return next(
                (_cause(operand, scope) for operand in operands if _denies(operand, scope)), node
            )
        case syntax.Conditional(condition=condition, then=then, otherwise=otherwise):
            try:
                chosen = then if is_true(condition, scope) else otherwise
            except Failed:
                return condition
            return _cause(chosen, scope)
        case syntax.Call(target=None, name=name) if name in scope.functions:
            function, inner = enter(node, scope)
            return _cause(function.result, inner)
        case syntax.Call(target=None, name="debug", arguments=(argument,)):
            return _cause(argument, scope)
        case syntax.Name(name=name) if name in scope.lets:
            return _cause(scope.lets[name], scope)
    return node
