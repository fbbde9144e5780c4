"""Checks of Firestore's rules and indexes."""

from __future__ import annotations

import json
from collections.abc import Iterator

from cloud import firestore_indexes
from stack.deploy import recorded_queries
from stack.deploy.finding import Finding
from stack.deploy.rules_compiler import compile_rules
from stack.deploy.tree import Tree


def rules_compile(tree: Tree) -> Iterator[Finding]:
    """Yield the errors and warnings of Firestore's compiler."""
    file = tree.firebase_json().get("firestore", {}).get("rules", "firestore.rules")
    if not (tree.root / file).is_file():
        yield _missing(tree, file)
        return
    for issue in compile_rules(tree.text(file)):
        yield Finding(issue.message, file, "Correct the rules at that line.", issue.line)


def queries_have_indexes(tree: Tree) -> Iterator[Finding]:
    """Yield the indexes that a recorded query needs and the index file lacks."""
    file = tree.firebase_json().get("firestore", {}).get("indexes", "firestore.indexes.json")
    if not (tree.root / file).is_file():
        yield _missing(tree, file)
        return
    try:
        indexes = json.loads(tree.text(file))
    except ValueError as error:
        yield Finding(
            f"It is not JSON: {error}", file, "Correct the syntax.", getattr(error, "lineno", None)
        )
        return
    for number, query in recorded_queries.read(tree.text(recorded_queries.FILE)):
        try:
            missing = firestore_indexes.missing(query, indexes)
        except firestore_indexes.Unreadable as error:
            yield Finding(
                f"{error}.",
                recorded_queries.FILE,
                "Write the file with ./scripts/indexes --record.",
                number,
            )
            continue
        for index in missing:
            yield Finding(
                f"The index {index} is missing, so Firestore would refuse: {query}",
                file,
                "Add the index, or delete the query from "
                f"{recorded_queries.FILE} if the code no longer runs it.",
                tree.line_of(file, '"indexes"'),
            )


def _missing(tree: Tree, file: str) -> Finding:
    return Finding(
        f"firebase.json names {file}, which does not exist.",
        "firebase.json",
        "Correct the path.",
        tree.line_of("firebase.json", f'"{file}"'),
    )
