"""Decides what a deployment has to do, from the tree and the state of the project.

Nothing here changes the project: a plan is shown first, and then carried out by `deployment`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stack.deploy import roles
from stack.deploy.project import Project
from stack.deploy.roles import Role

# firebase-tools' gcp/location.js: the regions of the functions that Firestore's multi-regions may
# start, https://firebase.google.com/docs/functions/locations
MULTI_REGIONS = {
    "nam5": ("us-central1",),
    "nam7": ("us-central1",),
    "eur3": ("europe-west1", "europe-west4"),
}
# Beside those that discovery names.
APIS = (
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudscheduler.googleapis.com",
    "cloudtasks.googleapis.com",
    "eventarc.googleapis.com",
    "eventarcpublishing.googleapis.com",
    "firebasehosting.googleapis.com",
    "firebaserules.googleapis.com",
    "firestore.googleapis.com",
    "identitytoolkit.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "telemetry.googleapis.com",
)
# Secrets that may be any random text, because nobody outside the project chooses them.
GENERATED_SECRETS = ("PSEUDONYM_SALT", "ACQUIRER_WEBHOOK_SECRET")


@dataclass(frozen=True)
class Wanted:
    """What the tree asks for.

    Attributes:
        region: the region of the functions.
        runtime_account: the service account that they run as, as their options have it.
        functions: the functions as they would be deployed, with their `codebase`.
        apis: names of the APIs that they need, beside APIS.
        secrets: names of the secrets that they need.
        given_secrets: names of the secrets whose value the environment holds.
        with_blocking: whether blocking functions are deployed; None: where the project allows it.
        commit: the commit of the tree, or "".
    """

    region: str
    runtime_account: str
    functions: tuple[Mapping[str, Any], ...]
    apis: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    given_secrets: tuple[str, ...] = ()
    with_blocking: bool | None = None
    commit: str = ""

    @property
    def every_api(self) -> list[str]:
        """Return the names of all APIs that a deployment needs, sorted."""
        return sorted({*APIS, *self.apis})


@dataclass(frozen=True)
class Plan:
    """What a deployment does to a project.

    Attributes:
        wanted: what the tree asks for.
        project: the state of the project before.
        apis: the APIs to enable.
        location: the location in which to create the Firestore database; "" if it exists.
        creates_account: whether to create the functions' service account.
        roles: the roles to grant.
        secrets: the secrets to create.
        allows_anonymous: whether to turn on anonymous sign-in.
        creates_web_app: whether to register a web app.
        functions: the functions to deploy.
        left_out: the blocking functions that are not deployed.
        leftovers: deployed functions of these codebases that the tree no longer has.
        notes: what the person should know, and nothing is done about.
    """

    wanted: Wanted
    project: Project
    apis: tuple[str, ...]
    location: str
    creates_account: bool
    roles: tuple[Role, ...]
    secrets: tuple[str, ...]
    allows_anonymous: bool
    creates_web_app: bool
    functions: tuple[Mapping[str, Any], ...]
    left_out: tuple[str, ...]
    leftovers: tuple[str, ...]
    notes: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Yield what will be done, one sentence for each."""
        region = self.wanted.region
        if self.apis:
            yield f"enable {len(self.apis)} APIs: {', '.join(_short(api) for api in self.apis)}"
        if self.location:
            yield f"create the Firestore database in {self.location}, for good: it cannot be moved"
        if self.creates_account:
            yield f"create the service account {self.project.runtime_account}"
        for role in self.roles:
            yield f"grant {role.name} to {role.member.partition(':')[2]}: {role.reason}"
        for secret in self.secrets:
            origin = "from the environment" if secret in self.wanted.given_secrets else "at random"
            yield f"create the secret {secret}, its value {origin}"
        if self.allows_anonymous:
            yield "turn on anonymous sign-in, which buyers use"
        if self.creates_web_app:
            yield "register a web app, for the page's configuration"
        yield "deploy the security rules, and create missing indexes; no index is deleted"
        existing = {_id(each) for each in self.project.functions}
        created = [each["id"] for each in self.functions if each["id"] not in existing]
        updated = [each["id"] for each in self.functions if each["id"] in existing]
        for verb, names in (("create", created), ("update", updated)):
            if names:
                yield f"{verb} {len(names)} functions in {region}: {', '.join(names)}"
        retried = [each["id"] for each in self.functions if _retries(each)]
        if retried:
            yield f"deliver events again for up to 7 days if a run fails: {', '.join(retried)}"
        yield f"delete container images after 1 day in {region}, so that they cost nothing"
        public = [each["id"] for each in self.functions if is_public(each)]
        yield f"let anyone call {', '.join(public)}; the others only this project's accounts"
        yield f"build the page for {self.project.id}, and release it on Hosting"


def decide(wanted: Wanted, project: Project, location: str = "") -> tuple[Plan, list[str]]:
    """Return the plan, and what makes it impossible: sentences, each with what to do.

    Args:
        wanted: what the tree asks for.
        project: the state of the project.
        location: where to create the Firestore database; by default the functions' region.
    """
    refusals = list(_refusals(wanted, project))
    blocking = [each for each in wanted.functions if "blockingTrigger" in each]
    with_blocking = wanted.with_blocking
    if with_blocking is None:
        with_blocking = project.has_identity_platform
    left_out = () if with_blocking else tuple(str(each["id"]) for each in blocking)
    functions = tuple(each for each in wanted.functions if each["id"] not in left_out)
    needed_roles = roles.needed(project.runtime_account, project.number)
    missing_roles = () if project.policy is None else roles.missing(needed_roles, project.policy)
    names = {str(each["id"]) for each in wanted.functions}
    codebases = {str(each["codebase"]) for each in wanted.functions}
    leftovers = tuple(
        sorted(
            _id(each)
            for each in project.functions
            if _codebase(each) in codebases and _id(each) not in names
        )
    )
    plan = Plan(
        wanted,
        project,
        tuple(api for api in wanted.every_api if api not in project.enabled),
        "" if project.database else location or wanted.region,
        not project.has_runtime_account,
        tuple(missing_roles),
        tuple(secret for secret in wanted.secrets if secret not in project.secrets),
        project.identity is not None and not project.allows_anonymous,
        not project.web_app,
        functions,
        left_out,
        leftovers,
        tuple(_notes(project, left_out, leftovers, needed_roles)),
    )
    return plan, refusals


def is_public(function: Mapping[str, Any]) -> bool:
    """Return whether anyone may call a function: pages, the card processor, Authentication."""
    return any(
        trigger in function for trigger in ("httpsTrigger", "callableTrigger", "blockingTrigger")
    )


def _refusals(wanted: Wanted, project: Project) -> Iterator[str]:
    if project.has_billing is False:
        yield (
            f"{project.id} has no billing account, and functions need the Blaze plan. Add one: "
            f"https://console.cloud.google.com/billing/linkedaccount?project={project.id}"
        )
    if project.database:
        location = str(project.database.get("locationId", ""))
        if wanted.region not in MULTI_REGIONS.get(location, (location,)):
            fitting = MULTI_REGIONS.get(location, (location,))[0]
            yield (
                f"The Firestore database is in {location}, which cannot be changed, and the "
                f"functions would be in {wanted.region}. Set REGION={fitting} in "
                f"functions/.env.{project.id}."
            )
        if project.database.get("type", "FIRESTORE_NATIVE") != "FIRESTORE_NATIVE":
            yield (
                "The database is in Datastore mode, which has no rules and no listeners. Use "
                "another project."
            )
    if project.identity is None:
        yield (
            "Authentication has not been set up. Open "
            f"https://console.firebase.google.com/project/{project.id}/authentication and choose "
            "“Get started”."
        )
    if wanted.with_blocking and not project.has_identity_platform:
        yield (
            "Blocking functions need Identity Platform, which is off. Upgrade Authentication in "
            f"https://console.firebase.google.com/project/{project.id}/authentication/settings, or "
            "leave out --with-blocking."
        )
    yield from _refusals_about_secrets(wanted, project)
    yield from _refusals_about_functions(wanted, project)


def _refusals_about_secrets(wanted: Wanted, project: Project) -> Iterator[str]:
    for secret in wanted.secrets:
        if secret not in {*project.secrets, *wanted.given_secrets, *GENERATED_SECRETS}:
            yield (
                f"The secret {secret} has no value, and cannot be made up. Run "
                f"./node_modules/.bin/firebase functions:secrets:set {secret} --project "
                f"{project.id}, or set {secret} in the environment of this command."
            )


def _refusals_about_functions(wanted: Wanted, project: Project) -> Iterator[str]:
    """Yield the functions that firebase-tools would change into something else with --force."""
    by_name = {str(each["id"]): each for each in wanted.functions}
    for deployed in project.functions:
        function = by_name.get(_id(deployed))
        if function is None or _codebase(deployed) != function["codebase"]:
            continue
        location = deployed["name"].split("/")[3]
        delete = (
            f"./node_modules/.bin/firebase functions:delete {function['id']} --region {location} "
            f"--project {project.id}"
        )
        if location != wanted.region:
            yield (
                f"{function['id']} is deployed in {location} and would be deployed in "
                f"{wanted.region} a second time: both would handle each event. Delete it first: "
                f"{delete}"
            )
        had = deployed.get("eventTrigger", {}).get("eventType")
        wants = function.get("eventTrigger", {}).get("eventType")
        if had != wants:
            yield (
                f"{function['id']} would change what starts it, from {had or 'a request'} to "
                f"{wants or 'a request'}, which can lose events. Delete it first: {delete}"
            )


def _notes(
    project: Project, left_out: Sequence[str], leftovers: Sequence[str], needed: Sequence[Role]
) -> Iterator[str]:
    if left_out:
        yield (
            f"Without Identity Platform, {', '.join(left_out)} is not deployed: nobody becomes an "
            "organiser by signing up. Without it: ./scripts/deploy --organiser EMAIL "
            f"--project {project.id} (docs/deploy.md#organisers)."
        )
    for name in leftovers:
        yield (
            f"{name} is deployed, but not in this tree. It stays. To delete it: "
            f"./node_modules/.bin/firebase functions:delete {name} --project {project.id}"
        )
    if project.policy is None:
        listed = ", ".join(f"{role.name} for {role.member}" for role in needed)
        yield f"This account may not read the project's policy. It must grant: {listed}."
    if project.has_billing is None:
        yield "This account may not see whether the project has billing; functions need it."


def _id(function: Mapping[str, Any]) -> str:
    """Return the name of a deployed function: the end of its resource name, as its code has it."""
    return str(function["name"]).rpartition("/")[2]


def _codebase(function: Mapping[str, Any]) -> str:
    return str(function.get("labels", {}).get("firebase-functions-codebase", "default"))


def _retries(function: Mapping[str, Any]) -> bool:
    return bool(function.get("eventTrigger", {}).get("retry"))


def _short(api: str) -> str:
    return api.removesuffix(".googleapis.com")
