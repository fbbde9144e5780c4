"""`./scripts/deploy`: check the tree without an account, or deploy it to a Firebase project."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from stack.commands import rehearse
from stack.commands.options import add_json
from stack.console import print_line
from stack.deploy import flow
from stack.deploy.checking import FAILED, NOT_RUN, Result, run_checks
from stack.deploy.organiser import make_organiser
from stack.deploy.plan import Plan
from stack.deploy.tree import Tree
from stack.errors import UserError
from stack.setup import install

DESCRIPTION = """\
Deploy this checkout to a Firebase project: run all checks, show what will be created and changed,
ask, and then deploy rules, indexes, functions and page with the pinned firebase-tools. It may be
run again at any time: it continues with what is missing. docs/deploy.md describes every step.
"""
_MARKS = {FAILED: "✗", NOT_RUN: "–"}


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    if "--rehearse" in arguments:
        return rehearse.main([word for word in arguments if word != "--rehearse"])
    options = _parse(arguments)
    tree = Tree(project=_project(options.project))
    if not options.check and not tree.project:
        raise UserError(
            "No project was named.", hint="Name one with --project, or add it to .firebaserc."
        )
    if not options.check and (tree.project or "").startswith("demo-"):
        raise UserError(
            f"{tree.project} exists in the emulators only, as every id that begins with demo-.",
            hint="Name a project of your own with --project.",
        )
    install.everything()
    if options.organiser:
        with flow.log_in(tree.project_id) as google, flow.translated():
            make_organiser(google, options.organiser)
        print_line(f"{options.organiser} is an organiser from the next sign-in on.")
        return 0
    results = run_checks(tree)
    failed = [result.check for result in results if result.status == FAILED]
    if options.check:
        return _report_checks(tree, results, failed, as_json=options.json)
    if failed:
        _show([result for result in results if result.status == FAILED])
        print_line(f"\n✗ Not ready to deploy: {', '.join(failed)}.")
        return 1
    summary = flow.deploy(
        tree,
        flow.Options(options.location, options.blocking),
        lambda plan: _confirm(plan, is_confirmed=options.yes),
    )
    if summary is None:
        print_line("Nothing was changed.")
        return 1
    if options.json:
        print(json.dumps(summary))
    else:
        _show_deployed(summary)
    return 1 if summary["access_problems"] else 0


def _report_checks(
    tree: Tree, results: Sequence[Result], failed: Sequence[str], *, as_json: bool
) -> int:
    if as_json:
        print(json.dumps({"project": tree.project, "checks": [each.summary() for each in results]}))
    else:
        _show(results)
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


def _confirm(plan: Plan, *, is_confirmed: bool) -> bool:
    """Show the plan on stderr, and return whether the person agrees."""
    print_line(f"\nThis will, in the project {plan.project.id}:")
    for line in plan.lines():
        print_line(f"  • {line}")
    for note in plan.notes:
        print_line(f"  ! {note}")
    if is_confirmed:
        return True
    if not sys.stdin.isatty():
        raise UserError("The plan was not confirmed.", hint="Confirm it with --yes.")
    print_line("")
    return input("Deploy? [y/N] ").strip().lower() in ("y", "yes")


def _show_deployed(summary: Mapping[str, Any]) -> None:
    print(f"\nDeployed: {summary['site']}")
    for key, title in (("access_problems", "To correct"), ("undo", "To undo")):
        if summary[key]:
            print(f"\n{title}:")
        for line in summary[key]:
            print(f"  {line}")


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
        description=DESCRIPTION,
        epilog="Exit status: 0 deployed, or no check failed; 1 a check or a step failed, or the "
        "plan was not confirmed; 2 bad usage.",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="only run the checks, which need no account, and report every mistake",
    )
    parser.add_argument(
        "--rehearse",
        action="store_true",
        help="deploy to a stand-in of Google's APIs on this machine, and buy a ticket there; "
        "--rehearse --help lists its options",
    )
    parser.add_argument(
        "--project", metavar="P", help="id of the project, or its alias in .firebaserc"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask: carry out the plan")
    parser.add_argument(
        "--location",
        default="",
        help="where to create the Firestore database, if there is none (default: the functions' "
        "region)",
    )
    parser.add_argument(
        "--with-blocking",
        dest="blocking",
        action="store_true",
        default=None,
        help="fail if the project cannot have blocking functions (default: deploy them if it can)",
    )
    parser.add_argument(
        "--without-blocking",
        dest="blocking",
        action="store_false",
        help="do not deploy blocking functions",
    )
    parser.add_argument(
        "--organiser",
        metavar="EMAIL",
        help="deploy nothing, and make this user an organiser: for projects without blocking "
        "functions",
    )
    add_json(parser)
    options = parser.parse_args(arguments)
    deploys = options.yes or options.location or options.blocking is not None
    if (options.check or options.organiser) and deploys:
        parser.error(
            "--check and --organiser deploy nothing; leave out --yes, --location and --…-blocking"
        )
    if options.check and options.organiser:
        parser.error("--check needs no account; leave out --organiser")
    return options
