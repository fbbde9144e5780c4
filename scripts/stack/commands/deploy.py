"""`./scripts/deploy`: check the tree without an account, or deploy it to a Firebase project."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence

from stack.commands.options import add_json
from stack.console import print_line
from stack.deploy.checking import FAILED, NOT_RUN, Result, run_checks
from stack.deploy.tree import Tree
from stack.errors import UserError
from stack.setup import install

_MARKS = {FAILED: "✗", NOT_RUN: "–"}


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    options = _parse(arguments)
    install.everything()
    tree = Tree(project=_project(options.project))
    return _check(tree, as_json=options.json)


def _check(tree: Tree, *, as_json: bool) -> int:
    results = run_checks(tree)
    if as_json:
        print(json.dumps({"project": tree.project, "checks": [each.summary() for each in results]}))
    else:
        _show(results)
    failed = [result.check for result in results if result.status == FAILED]
    if failed:
        print_line(f"\n✗ Not ready to deploy: {', '.join(failed)}.")
        return 1
    print_line("\nReady to deploy, as far as can be checked without an account.")
    return 0


def _show(results: Sequence[Result]) -> None:
    for result in results:
        reason = f" (not checked: {result.reason})" if result.reason else ""
        print(f"{_MARKS.get(result.status, '✓')} {result.check}: {result.about}{reason}")
        for finding in result.findings:
            print(f"    {finding.place}: {finding.message}\n      {finding.hint}")


def _project(named: str | None) -> str | None:
    """Return the project's id: that of an alias, as named, or the default of .firebaserc.

    The default is None if it is a project of the emulators, which begins with `demo-`.

    Raises:
        UserError: the name cannot be a project's id.
    """
    projects = Tree().projects()
    project = projects.get(named or "default", named)
    if named is None and project and project.startswith("demo-"):
        return None
    # https://cloud.google.com/resource-manager/docs/creating-managing-projects
    if project and not re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", project):
        raise UserError(
            f"{project} cannot be the id of a project: 6 to 30 lower-case letters, digits and "
            "hyphens.",
            hint="`./node_modules/.bin/firebase projects:list` lists yours.",
        )
    return project


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/deploy",
        description="Check what would be deployed, without an account.",
        epilog="Exit status: 0 no check failed; 1 a check failed; 2 bad usage.",
    )
    parser.add_argument("--check", action="store_true", help="run all checks, and deploy nothing")
    parser.add_argument(
        "--project", metavar="P", help="id of the project, or its alias in .firebaserc"
    )
    add_json(parser)
    options = parser.parse_args(arguments)
    if not options.check:
        parser.error("only --check is supported")
    return options
