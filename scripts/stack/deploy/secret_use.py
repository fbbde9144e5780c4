"""Finds the secrets that a deployed function reads, by the names that its code uses.

The functions that a deployed function can reach are followed by name through the modules of its
codebase. This finds too much where a name is used but not called, and nothing that is reached
through `getattr`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

# A definition: the module in which it is, and its name.
Definition = tuple[str, str]

# function_options binds the secrets, so it names those that it should not, too.
_LEFT_OUT = {"venv", "faults", "__pycache__", "function_options"}


def secrets_used_by(
    source: Path, entry_points: Iterable[str], secrets: set[str]
) -> dict[str, set[str]]:
    """Return which of `secrets` each entry point of the codebase in `source` reads."""
    modules = {_module(path, source): ast.parse(path.read_bytes()) for path in _files(source)}
    imports = {module: dict(_imports(module, tree)) for module, tree in modules.items()}
    uses: dict[Definition, set[Definition]] = {}
    reads: dict[Definition, set[str]] = {}
    for module, tree in modules.items():
        for name, node in _definitions(tree):
            uses[module, name] = set(_uses(node, module, imports[module]))
            reads[module, name] = secrets & set(_names_read(node))
    return {
        entry_point: set().union(
            *(
                reads[definition]
                for definition in _reachable(
                    imports.get("main", {}).get(entry_point, ("main", entry_point)), uses
                )
            )
        )
        for entry_point in entry_points
    }


def _reachable(start: Definition, uses: Mapping[Definition, set[Definition]]) -> set[Definition]:
    """Return the definitions of the codebase that `start` uses, directly or through others."""
    reached: set[Definition] = set()
    pending = [start]
    while pending:
        definition = pending.pop()
        if definition in uses and definition not in reached:
            reached.add(definition)
            pending += uses[definition]
    return reached


def _names_read(node: ast.AST) -> Iterator[str]:
    """Yield the texts that are arguments or keys, as in `SecretParam("…")` and `environ["…"]`."""
    for each in ast.walk(node):
        candidates: list[ast.expr] = []
        if isinstance(each, ast.Call):
            candidates = each.args
        elif isinstance(each, ast.Subscript):
            candidates = [each.slice]
        for candidate in candidates:
            if isinstance(candidate, ast.Constant) and isinstance(candidate.value, str):
                yield candidate.value


def _files(source: Path) -> list[Path]:
    return [
        path
        for path in sorted(source.rglob("*.py"))
        if not _LEFT_OUT & set(path.relative_to(source).with_suffix("").parts)
    ]


def _module(path: Path, source: Path) -> str:
    name = ".".join(path.relative_to(source).with_suffix("").parts)
    return name.removesuffix(".__init__")


def _definitions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node


def _imports(module: str, tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    """Yield the names that a module imports; a module is a definition without a name."""
    package = module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name, (alias.name, "")
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = f"{package}.{base}".strip(".")
            for alias in node.names:
                yield alias.asname or alias.name, (base, alias.name)


def _uses(
    node: ast.AST,
    module: str,
    imported: Mapping[str, Definition],
) -> Iterator[Definition]:
    """Yield the definitions that the code of `node` names."""
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
            base, name = imported.get(each.value.id, ("", ""))
            # `from boxoffice import acquirer` imports a module, `import settings` does too.
            yield f"{base}.{name}".strip("."), each.attr
        if isinstance(each, ast.Name):
            yield imported.get(each.id, (module, each.id))
