"""Carries out a plan, step by step. Each step may run again, and repairs what an earlier run left.

A first run that ends halfway leaves resources that the next plan no longer lists.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stack.console import print_line, step
from stack.deploy import firebase_cli, page_build, roles
from stack.deploy.firebase_cli import Firebase
from stack.deploy.google_api import GoogleApi, GoogleError
from stack.deploy.page_build import Page
from stack.deploy.plan import Plan, is_public
from stack.deploy.tree import Tree
from stack.errors import UserError

APIS_IN_ONE_REQUEST = 20
ENABLE_SECONDS = 300.0
DATABASE_SECONDS = 300.0
# A new service account, and roles that were just granted, take a while to be known everywhere.
PROPAGATION_ATTEMPTS = 12
PROPAGATION_SECONDS = 10.0
EVENTARC_ATTEMPTS = 6
_CONFLICT = 409


@contextmanager
def configuration(tree: Tree, page: Path) -> Iterator[Path]:
    """Yield a copy of firebase.json that serves the page built for production.

    It is beside firebase.json, because firebase-tools takes its folder as the project's.
    """
    config = tree.firebase_json()
    config["hosting"]["public"] = os.path.relpath(page, tree.root)
    path = tree.root / f".firebase.{tree.project_id}.json"
    path.write_text(json.dumps(config, indent=2))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def prepare_project(plan: Plan, google: GoogleApi) -> None:
    """Create what firebase-tools expects of a project: APIs, database, account, roles, secrets."""
    for title, needed, run in (
        ("Enabling APIs", plan.apis, _enable_apis),
        ("Creating the Firestore database", plan.location, _create_database),
        ("Creating the service account", plan.creates_account, _create_account),
        ("Granting roles", plan.roles, _grant_roles),
        ("Letting the functions enqueue tasks", plan.project.policy is not None, _allow_act_as),
        ("Creating secrets", plan.secrets, _create_secrets),
        ("Turning on anonymous sign-in", plan.allows_anonymous, _allow_anonymous),
    ):
        if needed:
            with step(title):
                run(plan, google)


def _enable_apis(plan: Plan, google: GoogleApi) -> None:
    apis = plan.apis
    for start in range(0, len(apis), APIS_IN_ONE_REQUEST):
        operation = google.post(
            "services",
            f"/v1/projects/{google.project}/services:batchEnable",
            {"serviceIds": list(apis[start : start + APIS_IN_ONE_REQUEST])},
        )
        google.finish("services", operation, "/v1/", ENABLE_SECONDS)


def _create_database(plan: Plan, google: GoogleApi) -> None:
    location = plan.location
    try:
        operation = google.post(
            "firestore",
            f"/v1/projects/{google.project}/databases",
            {"type": "FIRESTORE_NATIVE", "locationId": location},
            databaseId="(default)",
        )
        google.finish("firestore", operation, "/v1/", DATABASE_SECONDS)
    except GoogleError as error:
        if error.status == _CONFLICT:
            return
        raise UserError(
            f"The Firestore database cannot be created in {location}: {error}.",
            hint="Set REGION in functions/.env.<project> to one of "
            "https://firebase.google.com/docs/firestore/locations.",
        ) from error


def _create_account(plan: Plan, google: GoogleApi) -> None:
    email = plan.project.runtime_account
    try:
        google.post(
            "iam",
            f"/v1/projects/{google.project}/serviceAccounts",
            {
                "accountId": email.partition("@")[0],
                "serviceAccount": {"displayName": "Box Office functions"},
            },
        )
    except GoogleError as error:
        if error.status != _CONFLICT:
            raise


def _grant_roles(plan: Plan, google: GoogleApi) -> None:
    project = google.project
    _change_policy(google, "projects", f"/v1/projects/{project}", plan.roles)


def _allow_act_as(plan: Plan, google: GoogleApi) -> None:
    """Let the functions' account create tasks that are delivered as that account.

    The role is granted on the account alone: on the project it would include all accounts.
    """
    email = plan.project.runtime_account
    role = roles.Role("roles/iam.serviceAccountUser", f"serviceAccount:{email}", "")
    resource = f"/v1/projects/{google.project}/serviceAccounts/{email}"
    _change_policy(google, "iam", resource, [role])


def _change_policy(
    google: GoogleApi, api: str, resource: str, missing: Sequence[roles.Role]
) -> None:
    """Add roles to a resource's policy, again if it was changed meanwhile or lacks an account.

    Raises:
        UserError: the account that deploys may not change it.
    """
    for attempt in range(1, PROPAGATION_ATTEMPTS + 1):
        try:
            options = {"options": {"requestedPolicyVersion": 3}}
            policy = google.post(api, f"{resource}:getIamPolicy", options)
            if not roles.missing(missing, policy):
                return
            changed = roles.with_roles(policy, missing)
            google.post(api, f"{resource}:setIamPolicy", {"policy": changed})
        except GoogleError as error:
            is_conflict = error.status == _CONFLICT
            is_unknown = "does not exist" in str(error)
            if not (is_conflict or is_unknown) or attempt == PROPAGATION_ATTEMPTS:
                names = ", ".join(role.name for role in missing)
                raise UserError(
                    f"The roles {names} cannot be granted: {error}.",
                    hint="Ask an owner of the project to grant them; docs/deploy.md has the list.",
                ) from error
            google.sleep(PROPAGATION_SECONDS)
        else:
            return


def _create_secrets(plan: Plan, google: GoogleApi) -> None:
    for name in plan.secrets:
        resource = f"/v1/projects/{google.project}/secrets"
        try:
            google.post("secrets", resource, {"replication": {"automatic": {}}}, secretId=name)
        except GoogleError as error:
            # An earlier run created it, and ended before it had a value.
            if error.status != _CONFLICT:
                raise
        value = os.environ.get(name) or secrets.token_hex(32)
        payload = {"payload": {"data": base64.b64encode(value.encode()).decode()}}
        google.post("secrets", f"{resource}/{name}:addVersion", payload)


def _allow_anonymous(_plan: Plan, google: GoogleApi) -> None:
    google.patch(
        "identity",
        f"/admin/v2/projects/{google.project}/config",
        {"signIn": {"anonymous": {"enabled": True}}},
        updateMask="signIn.anonymous.enabled",
    )


def web_app_configuration(plan: Plan, google: GoogleApi) -> dict[str, str]:
    """Return the configuration of the project's web app; register one if there is none."""
    name = plan.project.web_app
    if not name:
        with step("Registering a web app"):
            operation = google.post(
                "firebase",
                f"/v1beta1/projects/{google.project}/webApps",
                {"displayName": "Box Office"},
            )
            app = google.finish("firebase", operation, "/v1beta1/", ENABLE_SECONDS)
            name = str(app["name"])
    config: dict[str, str] = google.get("firebase", f"/v1beta1/{name}/config")
    return config


def deploy_firestore(google: GoogleApi, firebase: Firebase) -> None:
    """Deploy rules and indexes. Without --force, firebase-tools deletes no index."""
    with step("Deploying rules and indexes"):
        _run(google, firebase, ["deploy", "--only", "firestore"], "The rules and indexes")


def deploy_functions(plan: Plan, google: GoogleApi, firebase: Firebase) -> None:
    """Deploy the functions of the plan.

    --force accepts the retries and the clean-up policy of container images, which the plan names.
    It would delete functions too, but firebase-tools only deletes those that --only names.
    """
    functions = plan.functions
    only = ",".join(f"functions:{each['codebase']}:{each['id']}" for each in functions)
    with step("Deploying the functions"):
        arguments = ["deploy", "--only", only, "--force"]
        _run(google, firebase, arguments, "The deployment of the functions")


def deploy_page(plan: Plan, google: GoogleApi, firebase: Firebase, page: Page) -> None:
    """Release the page, unless its sources have changed since it was built."""
    stamp = page.folder.parent / "page-fingerprint"
    if not stamp.is_file() or stamp.read_text() != page.fingerprint:
        raise UserError("The page was built again meanwhile.", hint="Run the command again.")
    with step("Releasing the page"):
        message = plan.wanted.commit or "not a commit"
        arguments = ["deploy", "--only", "hosting", "--message", message]
        _run(google, firebase, arguments, "The release of the page")


def _run(google: GoogleApi, firebase: Firebase, arguments: Sequence[str], what: str) -> None:
    """Run firebase-tools; wait and run it again after a failure that passes by itself.

    Raises:
        UserError: it failed.
    """
    log = arguments[2].partition(":")[0]
    for attempt in range(1, EVENTARC_ATTEMPTS + 1):
        run = firebase(arguments, log)
        if run.status == 0:
            return
        failure = firebase_cli.failure_of(run)
        if failure is None or failure.seconds is None or attempt == EVENTARC_ATTEMPTS:
            raise firebase_cli.as_error(run, what, firebase_cli.log_file(google.project, log))
        print_line(
            f"    {failure.message} Trying again in {failure.seconds:.0f} s "
            f"({attempt} of {EVENTARC_ATTEMPTS})."
        )
        google.sleep(failure.seconds)


def access_problems(plan: Plan, google: GoogleApi) -> list[str]:
    """Return the functions that the wrong callers may call, as sentences with what to do."""
    problems = []
    for function in plan.functions:
        name, region = function["id"], plan.wanted.region
        service = f"/v1/projects/{google.project}/locations/{region}/services/{name.lower()}"
        try:
            policy = google.get("run", f"{service}:getIamPolicy")
        except GoogleError as error:
            problems.append(f"It could not be checked who may call {name}: {error}.")
            continue
        if is_public(function) == _allows_anyone(policy):
            continue
        wanted = "anyone" if is_public(function) else "only this project's accounts"
        verb = "add" if is_public(function) else "remove"
        problems.append(
            f"{wanted.capitalize()} should be able to call {name}. Run: gcloud run services "
            f"{verb}-iam-policy-binding {name.lower()} --region {region} --project "
            f"{google.project} --member allUsers --role roles/run.invoker"
        )
    return problems


def _allows_anyone(policy: Mapping[str, Any]) -> bool:
    return any(
        binding["role"] == "roles/run.invoker" and "allUsers" in binding.get("members", [])
        for binding in policy.get("bindings", [])
    )


def build_page(tree: Tree, plan: Plan, google: GoogleApi, settings: Mapping[str, str]) -> Page:
    """Build the page with the project's own configuration."""
    web_app = web_app_configuration(plan, google)
    values = page_build.settings_for(tree, plan.wanted.region, web_app, settings)
    return page_build.build(tree, values)


def undo(plan: Plan) -> list[str]:
    """Return how to go back to what was deployed before, and how to take everything down."""
    project, firebase = plan.project.id, "./node_modules/.bin/firebase"
    lines = []
    release = plan.project.release
    if release:
        version = str(release.get("version", {}).get("name", "")).rpartition("/")[2]
        lines.append(
            f"the page before: {firebase} hosting:clone {project}:@{version} {project}:live "
            f"--project {project}"
        )
        commit = str(release.get("message", ""))
        if len(commit) == 40:
            lines.append(
                f"everything before: git switch --detach {commit[:12]} && ./scripts/deploy "
                f"--project {project}"
            )
    lines.append(f"offline at once: {firebase} hosting:disable --project {project}")
    lines.append("all of it: docs/deploy.md#take-it-down")
    return lines
