"""Reads what was deployed: functions, queues, schedules, rules, indexes and the hosted site."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.deployment.resources import Resource, Resources

PUBLIC = "allUsers"
RUN_INVOKER = "roles/run.invoker"

_MEMORY_UNITS = {"M": 10**6, "Mi": 2**20, "G": 10**9, "Gi": 2**30}


class BadDeployment(Exception):
    """What was deployed cannot be run; the message names the resource."""


@dataclass(frozen=True)
class Function:
    """One deployed function, with its settings as the platform stores them."""

    resource: Mapping[str, Any]
    secrets: Mapping[str, str]
    invokers: frozenset[str]
    archive: Path

    @property
    def name(self) -> str:
        """Return the function's name in its region."""
        return str(self.resource["name"]).rpartition("/")[2]

    @property
    def region(self) -> str:
        """Return the region."""
        return str(self.resource["name"]).split("/")[3]

    @property
    def service(self) -> str:
        """Return the name of the Cloud Run service behind the function."""
        return str(self._config["service"]).rpartition("/")[2]

    @property
    def revision(self) -> str:
        """Return the name of the service's revision."""
        return str(self._config["revision"])

    @property
    def entry_point(self) -> str:
        """Return the name of the Python function."""
        return str(self.resource["buildConfig"]["entryPoint"])

    @property
    def runtime(self) -> str:
        """Return the runtime, such as python311."""
        return str(self.resource["buildConfig"]["runtime"])

    @property
    def environment(self) -> dict[str, str]:
        """Return the deployed variables and the values of the bound secrets."""
        return {**self._config.get("environmentVariables", {}), **self.secrets}

    @property
    def concurrency(self) -> int:
        """Return how many requests one instance receives at a time."""
        return int(self._config.get("maxInstanceRequestConcurrency") or 1)

    @property
    def cpus(self) -> float:
        """Return the share of a CPU, or the number of CPUs, that an instance has."""
        return float(self._config.get("availableCpu") or 1)

    @property
    def memory_bytes(self) -> int:
        """Return the memory limit of an instance."""
        number, unit = re.fullmatch(
            r"([\d.]+)(\w*)", str(self._config.get("availableMemory") or "256Mi")
        ).groups()  # type: ignore[union-attr]
        return int(float(number) * _MEMORY_UNITS.get(unit, 1))

    @property
    def timeout_seconds(self) -> int:
        """Return how long a request may take, with the start of an instance."""
        return int(self._config.get("timeoutSeconds") or 60)

    @property
    def max_instances(self) -> int:
        """Return how many instances may run at a time."""
        return int(self._config.get("maxInstanceCount") or 100)

    @property
    def min_instances(self) -> int:
        """Return how many instances are kept when idle."""
        return int(self._config.get("minInstanceCount") or 0)

    @property
    def is_internal(self) -> bool:
        """Return whether only services of the project may call the function."""
        return str(self._config.get("ingressSettings")) == "ALLOW_INTERNAL_ONLY"

    @property
    def service_account(self) -> str:
        """Return the account that the function runs as."""
        return str(self._config["serviceAccountEmail"])

    @property
    def trigger(self) -> Mapping[str, Any] | None:
        """Return the event trigger; None if the function is called over HTTP."""
        trigger: Mapping[str, Any] | None = self.resource.get("eventTrigger")
        return trigger

    @property
    def retries(self) -> bool:
        """Return whether a failed event is delivered again."""
        return bool(self.trigger and self.trigger.get("retryPolicy") == "RETRY_POLICY_RETRY")

    @property
    def url(self) -> str:
        """Return the address by the function's name, on cloudfunctions.net."""
        return str(self.resource["url"])

    @property
    def uri(self) -> str:
        """Return the address of the Cloud Run service, on run.app."""
        return str(self._config["uri"])

    @property
    def _config(self) -> Mapping[str, Any]:
        config: Mapping[str, Any] = self.resource["serviceConfig"]
        return config

    def filter(self, attribute: str) -> str:
        """Return the value that the trigger filters an attribute by; empty if it does not."""
        filters = (self.trigger or {}).get("eventFilters") or []
        return next((one["value"] for one in filters if one["attribute"] == attribute), "")


@dataclass(frozen=True)
class Site:
    """The released version of the hosted site: where each file's content is, and the settings."""

    files: Mapping[str, Path]
    config: Mapping[str, Any]


class Deployed:
    """What was deployed to one project."""

    def __init__(self, folder: Path, project: str) -> None:
        self.project = project
        self._resources = Resources(folder)

    def functions(self) -> list[Function]:
        """Return every function of every region.

        Raises:
            BadDeployment: a function's source or secret is missing.
        """
        return [
            self._function(resource)
            for resource in self._resources.list(f"projects/{self.project}/locations/*/functions/*")
        ]

    def queues(self) -> dict[str, Resource]:
        """Return every Cloud Tasks queue by its resource name."""
        return self._named(f"projects/{self.project}/locations/*/queues/*")

    def jobs(self) -> dict[str, Resource]:
        """Return every Cloud Scheduler job by its resource name."""
        return self._named(f"projects/{self.project}/locations/*/jobs/*")

    def topics(self) -> list[str]:
        """Return the resource name of every Pub/Sub topic."""
        return list(self._named(f"projects/{self.project}/topics/*"))

    def rules(self) -> str:
        """Return the security rules of Firestore that are in force.

        Raises:
            BadDeployment: none were released.
        """
        release = self._resources.get(f"projects/{self.project}/releases/cloud.firestore")
        ruleset = self._resources.get(release["rulesetName"]) if release else None
        if ruleset is None:
            raise BadDeployment("No rules were released for cloud.firestore.")
        return "\n".join(file["content"] for file in ruleset["source"]["files"])

    def database_location(self) -> str:
        """Return the location of the default Firestore database."""
        database = self._resources.get(f"projects/{self.project}/databases/(default)")
        if database is None:
            raise BadDeployment("The database (default) was not created.")
        return str(database["locationId"])

    def indexes(self) -> dict[str, Any]:
        """Return the deployed indexes in the format of firestore.indexes.json."""
        database = f"projects/{self.project}/databases/*/collectionGroups/*"
        indexes = [
            {**index, "collectionGroup": index["name"].split("/")[5]}
            for index in self._resources.list(f"{database}/indexes/*")
        ]
        overrides = [
            {
                "collectionGroup": field["name"].split("/")[5],
                "fieldPath": field["name"].split("/fields/")[1],
                "indexes": [
                    {"queryScope": index.get("queryScope", "COLLECTION"), **index["fields"][0]}
                    for index in (field.get("indexConfig") or {}).get("indexes", [])
                ],
            }
            for field in self._resources.list(f"{database}/fields/*")
        ]
        return {"indexes": indexes, "fieldOverrides": overrides}

    def blocking_functions(self) -> dict[str, str]:
        """Return the addresses of the blocking functions, by event, such as beforeCreate."""
        config = self._resources.get(f"projects/{self.project}/identityConfig") or {}
        triggers = config.get("blockingFunctions", {}).get("triggers", {})
        return {event: trigger["functionUri"] for event, trigger in triggers.items()}

    def site(self) -> Site:
        """Return the released version of the project's default site.

        Raises:
            BadDeployment: none was released.
        """
        site = f"projects/{self.project}/sites/{self.project}"
        release = self._resources.get(f"{site}/channels/live/release")
        version = self._resources.get(release["version"]["name"]) if release else None
        if version is None:
            raise BadDeployment("No version of the site was released.")
        files = {
            path: self._resources.upload_path(f"hosting/{digest}")
            for path, digest in version["files"].items()
        }
        return Site(files, version.get("config") or {})

    def clean_up_policies(self) -> dict[str, Resource]:
        """Return the repositories of the functions' images that have a clean-up policy."""
        repositories = self._named(f"projects/{self.project}/locations/*/repositories/*")
        return {
            name: repository
            for name, repository in repositories.items()
            if repository.get("cleanupPolicies")
        }

    def _function(self, resource: Resource) -> Function:
        source = resource["buildConfig"]["source"]["storageSource"]
        archive = self._resources.upload_path(f"{source['bucket']}/{source['object']}")
        service = resource["serviceConfig"]["service"]
        return Function(
            resource,
            dict(self._secrets(resource)),
            self._invokers(service) | self._invokers(f"projects/{self.project}"),
            archive,
        )

    def _secrets(self, resource: Resource) -> Iterator[tuple[str, str]]:
        for bound in resource["serviceConfig"].get("secretEnvironmentVariables") or []:
            name = f"projects/{self.project}/secrets/{bound['secret']}"
            number = bound.get("version", "latest")
            if number == "latest":
                number = str(len(list(self._resources.list(f"{name}/versions/*"))))
            version = self._resources.get(f"{name}/versions/{number}")
            if version is None:
                raise BadDeployment(f"{resource['name']}: {name} has no version {number}.")
            yield bound["key"], base64.b64decode(version["payload"]).decode()

    def _invokers(self, name: str) -> frozenset[str]:
        policy = self._resources.get(f"{name}/policy") or {}
        return frozenset(
            member
            for binding in policy.get("bindings", [])
            if binding["role"] == RUN_INVOKER
            for member in binding.get("members", [])
        )

    def _named(self, pattern: str) -> dict[str, Resource]:
        return {resource["name"]: resource for resource in self._resources.list(pattern)}
