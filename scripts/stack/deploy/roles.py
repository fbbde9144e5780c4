"""The roles that the deployed app and the platform's own accounts need, with the reasons.

https://cloud.google.com/iam/docs/roles-permissions lists what each role allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Role:
    """A role on the project that an account needs.

    Attributes:
        name: the role.
        member: the account, as IAM writes it.
        reason: what the account needs it for.
    """

    name: str
    member: str
    reason: str


def needed(runtime: str, number: str) -> list[Role]:
    """Return the roles of a deployment.

    Args:
        runtime: the e-mail address of the service account that the functions run as.
        number: the project's number.
    """
    functions = f"serviceAccount:{runtime}"
    build = f"serviceAccount:{number}-compute@developer.gserviceaccount.com"
    pubsub = f"serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    return [
        Role("roles/datastore.user", functions, "the functions read and write orders"),
        Role("roles/pubsub.publisher", functions, "reserve and settle publish messages"),
        Role("roles/cloudtasks.enqueuer", functions, "reserve enqueues the end of a hold"),
        Role("roles/eventarc.publisher", functions, "the stages publish events for the audit"),
        Role("roles/eventarc.eventReceiver", functions, "triggers deliver events as this account"),
        Role(
            "roles/run.invoker",
            functions,
            "Pub/Sub, Eventarc, Cloud Tasks and Cloud Scheduler call the functions as this account",
        ),
        Role("roles/telemetry.tracesWriter", functions, "the functions export their spans"),
        Role("roles/logging.logWriter", functions, "the functions write log lines"),
        Role(
            "roles/iam.serviceAccountTokenCreator",
            pubsub,
            "Pub/Sub signs in to call a function; firebase-tools grants it too",
        ),
        # https://cloud.google.com/build/docs/cloud-build-service-account-updates
        Role(
            "roles/cloudbuild.builds.builder",
            build,
            "Cloud Build builds the functions as this account; newer projects do not grant it",
        ),
    ]


def missing(roles: Iterable[Role], policy: Mapping[str, Any]) -> list[Role]:
    """Return the roles that a policy does not grant without a condition."""
    granted = {
        (binding["role"], member)
        for binding in policy.get("bindings", [])
        if "condition" not in binding
        for member in binding.get("members", [])
    }
    return [role for role in roles if (role.name, role.member) not in granted]


def with_roles(policy: Mapping[str, Any], roles: Iterable[Role]) -> dict[str, Any]:
    """Return a copy of a policy that grants more roles."""
    bindings = [
        {**binding, "members": list(binding.get("members", []))}
        for binding in policy.get("bindings", [])
    ]
    for role in roles:
        binding = next(
            (each for each in bindings if each["role"] == role.name and "condition" not in each),
            None,
        )
        if binding is None:
            binding = {"role": role.name, "members": []}
            bindings.append(binding)
        if role.member not in binding["members"]:
            binding["members"].append(role.member)
    return {**policy, "bindings": bindings}
