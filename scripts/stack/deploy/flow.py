"""A whole deployment: the checks, the login, the plan, a confirmation, and the steps."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from stack.console import print_line, step
from stack.deploy import deployment as steps
from stack.deploy import firebase_cli, google_api, manifest
from stack.deploy import plan as planning
from stack.deploy import project as projects
from stack.deploy.google_api import GoogleApi, GoogleError
from stack.deploy.plan import Plan, Wanted
from stack.deploy.tree import Tree
from stack.errors import UserError


@dataclass(frozen=True)
class Options:
    """What the person chose.

    Attributes:
        location: where to create the Firestore database; "": in the functions' region.
        with_blocking: whether to deploy blocking functions; None: where the project allows it.
    """

    location: str = ""
    with_blocking: bool | None = None


def wanted(tree: Tree, options: Options) -> Wanted:
    """Return what the tree asks for, as discovery says."""
    answer = manifest.discover(tree)
    functions = answer.functions()
    codebases = answer.discovered()
    accounts = {str(each.get("serviceAccount") or "") for each in functions}
    if len(accounts) > 1:
        raise UserError(
            f"The functions run as several service accounts: {', '.join(sorted(accounts))}.",
            hint="Set one for all, in functions/function_options.py.",
        )
    names = sorted(
        {
            param.get("resourceId") or param["name"]
            for codebase in codebases
            for param in codebase.params
            if param["type"] == "secret"
        }
    )
    return Wanted(
        str(functions[0]["region"]),
        accounts.pop(),
        tuple(functions),
        tuple(sorted({api for codebase in codebases for api in codebase.apis})),
        tuple(names),
        tuple(name for name in names if os.environ.get(name)),
        options.with_blocking,
        _commit(tree),
    )


def log_in(project: str) -> GoogleApi:
    """Return a client of Google's APIs, with the login of firebase-tools.

    Raises:
        UserError: there is no login.
    """
    with step("Logging in"):
        token, account = google_api.log_in(project)
    print_line(f"    as {account}")
    return GoogleApi(project, token)


def deploy(
    tree: Tree,
    options: Options,
    confirm: Callable[[Plan], bool],
) -> dict[str, Any] | None:
    """Deploy the tree, and return a summary; None if the plan was not confirmed.

    Args:
        tree: the tree, whose project must be set.
        options: what the person chose.
        confirm: shows the plan, and returns whether to go on.

    Raises:
        UserError: the deployment is impossible, or a step failed.
    """
    asked = wanted(tree, options)
    with log_in(tree.project_id) as google:
        return _deploy(tree, asked, options, confirm, google)


def _deploy(
    tree: Tree,
    asked: Wanted,
    options: Options,
    confirm: Callable[[Plan], bool],
    google: GoogleApi,
) -> dict[str, Any] | None:
    with translated(), step("Reading the project"):
        secrets = list(asked.secrets)
        project = projects.read(google, asked.runtime_account, asked.every_api, secrets)
    plan, refusals = planning.decide(asked, project, options.location)
    if refusals:
        listed = "\n".join(f"  ✗ {refusal}" for refusal in refusals)
        raise UserError(f"{tree.project} cannot be deployed to yet:\n{listed}")
    if not confirm(plan):
        return None
    return carry_out(tree, plan, google)


def carry_out(tree: Tree, plan: Plan, google: GoogleApi) -> dict[str, Any]:
    """Carry out a plan, and return a summary.

    Raises:
        UserError: a step failed. A second run continues with what is missing.
    """
    settings = {
        name: value
        for codebase in manifest.discover(tree).codebases
        for name, value in codebase.settings.items()
    }
    with translated(), resumable(plan):
        steps.prepare_project(plan, google)
        page = steps.build_page(tree, plan, google, settings)
        with steps.configuration(tree, page.folder) as config:
            firebase = firebase_cli.runner(plan.project.id, config)
            steps.deploy_firestore(google, firebase)
            steps.deploy_functions(plan, google, firebase)
            steps.deploy_page(plan, google, firebase, page)
        problems = steps.access_problems(plan, google)
    return summary(plan, problems, _site(google))


def summary(plan: Plan, problems: list[str], site: str) -> dict[str, Any]:
    """Return the result for JSON."""
    return {
        "project": plan.project.id,
        "site": site,
        "region": plan.wanted.region,
        "deployed": [each["id"] for each in plan.functions],
        "left_out": list(plan.left_out),
        "access_problems": problems,
        "undo": steps.undo(plan),
    }


@contextmanager
def translated() -> Iterator[None]:
    """Turn an API's refusal into a line for the person."""
    try:
        yield
    except GoogleError as error:
        hint = "Run the command again: it continues with what is missing."
        if error.status in (401, 403):
            hint = (
                "The account needs the roles in docs/deploy.md#the-account-that-deploys; an owner "
                "of the project can grant them."
            )
        raise UserError(
            f"Google refuses a request: {error} ({error.status}).", hint=hint
        ) from error


@contextmanager
def resumable(plan: Plan) -> Iterator[None]:
    """Say on Ctrl-C what has happened, and that a second run continues."""
    try:
        yield
    except KeyboardInterrupt:
        print_line(
            f"\nInterrupted. What was finished stays deployed to {plan.project.id}; run the "
            "command again, and it continues with what is missing."
        )
        raise


def _site(google: GoogleApi) -> str:
    found: Mapping[str, Any] = {}
    try:
        found = google.find("hosting", f"/v1beta1/projects/{google.project}/sites") or {}
    except GoogleError:
        print_line("    The sites of Hosting could not be listed; this is the default address.")
    urls = [str(site["defaultUrl"]) for site in found.get("sites", []) if "defaultUrl" in site]
    default = f"https://{google.project}.web.app"
    return default if default in urls or not urls else urls[0]


def _commit(tree: Tree) -> str:
    """Return the commit of the tree, with `-dirty` if files have changed since."""
    done = subprocess.run(
        ["git", "-C", str(tree.root), "describe", "--always", "--abbrev=40", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""
