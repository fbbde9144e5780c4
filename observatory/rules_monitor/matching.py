"""Match the path of an access against the ``match`` blocks around an ``allow``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from observatory.rules_monitor import language, syntax
from observatory.rules_monitor.evaluation import READS, SET, Evaluation
from observatory.rules_monitor.typed import Path

# The words of an `allow` that stand for several methods, and those methods.
METHODS = {"read": READS, "write": SET | {"delete"}}
_WILDCARD = re.compile(r"\{\s*(\w+)\s*(=\s*\*\*\s*)?\}", re.ASCII)


def allows_about(evaluation: Evaluation) -> tuple[tuple[int, bool], ...]:
    """Return those of the evaluation's ``allows`` that cover its path and method.

    Return all of them if the rules cannot be parsed.
    """
    try:
        root = language.parse(evaluation.rules)
    except language.NotSupported:
        return evaluation.allows
    return tuple(
        (line, allowed)
        for line, allowed in evaluation.allows
        if any(
            covers(blocks, allow, evaluation) for blocks, allow in language.allows_at(root, line)
        )
    )


def covers(blocks: tuple[syntax.Block, ...], allow: syntax.Allow, evaluation: Evaluation) -> bool:
    """Return whether an ``allow`` in ``blocks`` covers the evaluation's path and method."""
    requested = SET if evaluation.method == "set" else {evaluation.method}
    allowed = {method for word in allow.methods for method in METHODS.get(word, {word})}
    return bool(requested & allowed) and wildcards(blocks, evaluation) is not None


def wildcards(blocks: tuple[syntax.Block, ...], evaluation: Evaluation) -> dict[str, Any] | None:
    """Return the values of the wildcards in the patterns of ``blocks``; None if they do not match.

    ``{name}`` is one segment of the path, as a string. ``{name=**}`` is any number of them, also in
    the middle of a pattern, as a path.
    """
    pattern = [part for block in blocks for part in block.pattern]
    path = ["databases", evaluation.database, "documents", *evaluation.path.split("/")]
    return next(_matches(pattern, path), None)


def _matches(pattern: list[str], path: list[str]) -> Iterator[dict[str, Any]]:
    if not pattern:
        if not path:
            yield {}
        return
    part, *rest = pattern
    wildcard = _WILDCARD.fullmatch(part)
    if wildcard and wildcard[2]:
        for length in range(len(path), -1, -1):
            for values in _matches(rest, path[length:]):
                yield {wildcard[1]: Path(tuple(path[:length])), **values}
    elif path and (wildcard or part == path[0]):
        for values in _matches(rest, path[1:]):
            yield ({wildcard[1]: path[0]} if wildcard else {}) | values
