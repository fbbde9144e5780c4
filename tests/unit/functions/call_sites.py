"""How a module uses the functions that faults replace, read off its syntax tree.

Replacing a function by name reaches only those who look the name up when they call it. What keeps
the function itself, under another name or as a value, would go on with the right version.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class CallSites:
    """The targets that a module calls, and its other uses of targets as "line: text"."""

    called: frozenset[str]
    misuses: tuple[str, ...]


def call_sites(source: str, module: str, targets: frozenset[str]) -> CallSites:
    """Find what `module` does with the targets, each named as in "boxoffice.charge:amount_cents".

    Fine is a call by the global name in the target's own module, and one as `module.name` in
    others. Not: a `from` import, an alias, a default, an argument, a decorator, a rebound name.
    """
    tree = ast.parse(source)
    own = {target.partition(":")[2]: target for target in targets if _module(target) == module}
    modules = dict(_imported_modules(tree))
    called: set[str] = set()
    misuses: list[tuple[int, str]] = []
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}

    for node in ast.walk(tree):
        target = None
        match node:
            case ast.ImportFrom(module=str(source_module), names=names):
                for name in names:
                    if f"{source_module}:{name.name}" in targets:
                        misuses.append((node.lineno, ast.unparse(node)))
            case ast.Name(id=name, ctx=ast.Load()):
                target = own.get(name)
            case ast.Attribute(value=value, attr=attr, ctx=ast.Load()):
                qualified_name = f"{modules.get(ast.unparse(value))}:{attr}"
                target = qualified_name if qualified_name in targets else None
            case ast.Name(id=name) | ast.arg(arg=name) if name in own:
                misuses.append((node.lineno, f"{name} is bound to something else"))
        if target and id(node) in functions:
            called.add(target)
        elif target:
            assert isinstance(node, ast.expr)
            misuses.append((node.lineno, f"{ast.unparse(node)} is used without being called"))
    return CallSites(frozenset(called), tuple(f"{line}: {text}" for line, text in sorted(misuses)))


def top_level_function(source: str, name: str) -> ast.FunctionDef | None:
    """Return a module's undecorated, synchronous function of that name; None if there is none."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == name and not node.decorator_list:
            return node
    return None


def _module(target: str) -> str:
    return target.partition(":")[0]


def _imported_modules(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield what the module calls each module that it may have imported, and that one's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.asname or name.name, name.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                yield name.asname or name.name, f"{node.module}.{name.name}"
