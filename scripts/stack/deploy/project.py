"""Reads the state of a Firebase project, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stack.deploy.google_api import GoogleApi, GoogleError
from stack.errors import UserError

IDENTITY_PLATFORM = "IDENTITY_PLATFORM"
_PERMISSION_DENIED = 403


@dataclass(frozen=True)
class Project:
    """What a project has.

    Attributes:
        id: the project's id.
        number: its number.
        has_billing: whether a billing account pays for it; None if the account may not see that.
        enabled: the enabled APIs among those that were asked for.
        database: the Firestore database `(default)`, or None.
        functions: the deployed functions, of all codebases and regions.
        runtime_account: the e-mail address of the service account that the functions run as.
        has_runtime_account: whether it exists.
        policy: the project's IAM policy; None if the account may not see it.
        secrets: the secrets that have a value.
        web_app: the resource name of a web app, or "".
        identity: the configuration of Authentication, or None if it was never set up.
        release: the live release of Hosting, or None.
    """

    id: str
    number: str
    has_billing: bool | None = True
    enabled: frozenset[str] = frozenset()
    database: dict[str, Any] | None = None
    functions: tuple[dict[str, Any], ...] = ()
    runtime_account: str = ""
    has_runtime_account: bool = True
    policy: dict[str, Any] | None = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    web_app: str = ""
    identity: dict[str, Any] | None = None
    release: dict[str, Any] | None = None

    @property
    def has_identity_platform(self) -> bool:
        """Return whether blocking functions can be deployed."""
        return (self.identity or {}).get("subtype") == IDENTITY_PLATFORM

    @property
    def allows_anonymous(self) -> bool:
        """Return whether buyers can sign in without an account."""
        sign_in = (self.identity or {}).get("signIn", {})
        return bool(sign_in.get("anonymous", {}).get("enabled"))


def read(google: GoogleApi, runtime_account: str, apis: list[str], secrets: list[str]) -> Project:
    """Return the state of the client's project.

    Args:
        google: the client.
        runtime_account: the service account that the functions run as, as their options have it.
        apis: names of the APIs that a deployment needs.
        secrets: names of the secrets that it needs.

    Raises:
        UserError: there is no such project, it has no Firebase, or an API cannot be reached.
        GoogleError: an API refuses a request that it should answer.
    """
    project = google.project
    number = _number(google)
    if google.find("firebase", f"/v1beta1/projects/{project}") is None:
        raise UserError(
            f"{project} is a project of Google Cloud without Firebase.",
            hint=f"Run ./node_modules/.bin/firebase projects:addfirebase {project}",
        )
    account = _full_address(runtime_account, project, number)
    return Project(
        project,
        number,
        _has_billing(google),
        frozenset(api for api in apis if _is_enabled(google, api)),
        google.find("firestore", f"/v1/projects/{project}/databases/(default)"),
        tuple(_functions(google)),
        account,
        google.find("iam", f"/v1/projects/{project}/serviceAccounts/{account}") is not None,
        _policy(google),
        frozenset(name for name in secrets if _has_value(google, name)),
        _web_app(google),
        google.find("identity", f"/admin/v2/projects/{project}/config"),
        _live_release(google),
    )


def _full_address(account: str, project: str, number: str) -> str:
    """Return a service account's whole address: what follows the @ may be left out for the project.

    Without an account, functions run as the default account of Compute Engine.
    """
    if not account:
        return f"{number}-compute@developer.gserviceaccount.com"
    return f"{account}{project}.iam.gserviceaccount.com" if account.endswith("@") else account


def _number(google: GoogleApi) -> str:
    try:
        found = google.find("projects", f"/v1/projects/{google.project}")
    except GoogleError as error:
        if error.status != _PERMISSION_DENIED:
            raise
        found = None
    if found is None or found.get("lifecycleState", "ACTIVE") != "ACTIVE":
        raise UserError(
            f"There is no project {google.project}, or this account may not see it.",
            hint="./node_modules/.bin/firebase projects:list lists those that it may see.",
        )
    return str(found["projectNumber"])


def _has_billing(google: GoogleApi) -> bool | None:
    try:
        info = google.find("billing", f"/v1/projects/{google.project}/billingInfo")
    except GoogleError as error:
        if error.status == _PERMISSION_DENIED:
            return None
        raise
    return None if info is None else bool(info.get("billingEnabled"))


def _is_enabled(google: GoogleApi, api: str) -> bool:
    service = google.find("services", f"/v1/projects/{google.project}/services/{api}")
    return (service or {}).get("state") == "ENABLED"


def _functions(google: GoogleApi) -> list[dict[str, Any]]:
    functions: list[dict[str, Any]] = []
    query: dict[str, str] = {}
    while True:
        path = f"/v2/projects/{google.project}/locations/-/functions"
        page = google.find("functions", path, **query) or {}
        functions += page.get("functions", [])
        if not page.get("nextPageToken"):
            return functions
        query = {"pageToken": page["nextPageToken"]}


def _policy(google: GoogleApi) -> dict[str, Any] | None:
    try:
        # Version 3, so that bindings with conditions are not shown as if they had none.
        options = {"options": {"requestedPolicyVersion": 3}}
        return google.post("projects", f"/v1/projects/{google.project}:getIamPolicy", options)
    except GoogleError as error:
        if error.status == _PERMISSION_DENIED:
            return None
        raise


def _has_value(google: GoogleApi, secret: str) -> bool:
    version = google.find(
        "secrets", f"/v1/projects/{google.project}/secrets/{secret}/versions/latest"
    )
    return version is not None and version.get("state", "ENABLED") == "ENABLED"


def _web_app(google: GoogleApi) -> str:
    apps = google.find("firebase", f"/v1beta1/projects/{google.project}/webApps") or {}
    return next((str(app["name"]) for app in apps.get("apps", [])), "")


def _live_release(google: GoogleApi) -> dict[str, Any] | None:
    site = f"/v1beta1/projects/{google.project}/sites/{google.project}"
    channel = google.find("hosting", f"{site}/channels/live") or {}
    release: dict[str, Any] | None = channel.get("release")
    return release
